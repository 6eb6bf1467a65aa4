/**
 * The suites by name.
 */
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {BenchCase} from '../bench-case.ts';
import {decoupledAttentionCases, selfAttentionCases} from './attention.ts';
import {clipCases, type ModelConfigs, projectionCases, unetCases, vaeDecodeCases} from './models.ts';
import {pipelineCase} from './pipeline.ts';
import {conv2dCases, linearCases} from './products.ts';
import {trainCases} from './train.ts';

const attentionCases = () => [...selfAttentionCases(), ...decoupledAttentionCases()];

type Suite = (configs: ModelConfigs, steps: number) => readonly BenchCase[];

const suites: Readonly<Record<string, Suite>> = {
  gemm: linearCases,
  conv: conv2dCases,
  attention: attentionCases,
  projections: configs => projectionCases(configs),
  clip: clipCases,
  vae: vaeDecodeCases,
  unet: configs => unetCases(configs),
  train: trainCases,
  pipeline: (_configs, steps) => [pipelineCase({steps})],
};

/** The first case of each suite that runs in well under a second. */
const quick: Suite = configs => [
  ...[linearCases, conv2dCases, selfAttentionCases, decoupledAttentionCases].map(cases => cases()[0]!),
  projectionCases(configs)[0]!,
  ...clipCases(configs).slice(1),
];

export const suiteNames = ['quick', ...Object.keys(suites), 'all'] as const;

/**
 * The cases of the named suites; `all` stands for every suite.
 *
 * @param steps of the pipeline's picture
 */
export async function casesOf(names: readonly string[], steps: number): Promise<readonly BenchCase[]> {
  const configs = await stableDiffusion15();
  const chosen = names.includes('all') ? Object.keys(suites) : names;
  return chosen.flatMap(name => (name === 'quick' ? quick : suites[name]!)(configs, steps));
}

/** Configs at full size; no weight is made. */
export async function stableDiffusion15(): Promise<ModelConfigs> {
  await using pipeline = await IPAdapterInstructPipeline.random({size: 'sd15'});
  const {denoiser, vae, textEncoder, adapter} = pipeline.models;
  return {
    unet: denoiser.config,
    vae: vae.config,
    text: textEncoder.config,
    vision: adapter!.imageEncoder.config,
    adapter: adapter!.adapter.description,
  };
}
