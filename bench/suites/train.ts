/**
 * A training step of the instruct adapter on a frozen UNet: loss, gradients, AdamW. Weights of the adapter are float32 on
 * both sides, products and the UNet of the case's dtype; activations are kept, or computed again by block.
 */
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {describeAdapterWeights} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {type AdapterBatch, adapterLoss} from '../../lib/training/adapter-loss.ts';
import {type StepInputs, stateGradients} from '../../lib/training/state-gradients.ts';
import type {BenchCase, Setup, Workload} from '../bench-case.ts';
import {randomInputs, workOf} from '../traced-case.ts';
import type {ModelConfigs} from './models.ts';

const batch = 1;
/** Latents of a picture of 512x512. */
const side = 64;
const textTokens = 77;
/** Hidden states of ViT-H/14. */
const imageStates = 257;
const learningRate = 1e-6;

export function trainCases(configs: ModelConfigs): BenchCase[] {
  return [false, true].map(recompute => ({
    name: 'train',
    shape: `batch ${batch}, ${8 * side}x${8 * side}, ${recompute ? 'recomputed by block' : 'activations kept'}; PyTorch: UNet in the dtype, adapter by autocast`,
    pytorch: {
      kind: 'train',
      settings: {
        batch,
        height: side,
        width: side,
        textTokens,
        imageStates,
        learningRate,
        recompute: Number(recompute),
      },
    },
    load: setup => loadStep(setup, configs, recompute),
  }));
}

async function loadStep(
  {engine, dtype}: Setup,
  {unet: config, adapter}: ModelConfigs,
  recompute: boolean,
): Promise<Workload> {
  const layers = crossAttentionLayers(config);
  const model = {unet: new Weights(new RandomWeights('unet')), config, adapter, dtype};
  const step = engine.compile('train', ({state, batch: given}: StepInputs<AdapterBatch>) =>
    stateGradients('adapter', state, trained => adapterLoss(model, trained, given), {recompute}),
  );
  const adamw = AdamW.begin(engine, randomAdapter(describeAdapterWeights(adapter, layers)));
  const float32 = (...shape: number[]) => ({shape, dtype: 'float32' as const});
  const text = float32(batch, textTokens, config.crossAttentionDim);
  const inputs = randomInputs<AdapterBatch>(engine.device, {
    noisy: float32(batch, config.inChannels, side, side),
    target: float32(batch, config.outChannels, side, side),
    timesteps: float32(batch),
    weights: float32(batch, 1, 1, 1),
    encoderHiddenStates: text,
    condition: {image: float32(batch, imageStates, adapter.imageWidth), prompt: text, instruction: text},
    imageScales: float32(layers.length, batch),
  });
  return {
    work: workOf(step, {state: adamw.state, batch: inputs.tensors}),
    async run() {
      const {gradients, ...rest} = await step.run({state: adamw.state, batch: inputs.tensors});
      await adamw.step(gradients, {learningRate});
      for (const tensor of [...Object.values(rest), ...Object.values(gradients)]) tensor.dispose();
    },
    async dispose() {
      adamw.dispose();
      inputs.dispose();
    },
  };
}

/** As `RandomWeights` makes them, but here for the optimiser: uniform, of variance 1 / fan-in. */
function randomAdapter(shapes: ReadonlyMap<string, readonly number[]>): Map<string, HostTensor> {
  return new Map(
    [...shapes].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b));
      if (shape.length === 1) return [name, {shape, data: data.fill(name.endsWith('bias') ? 0 : 1)}];
      const bound = Math.sqrt(3 / shape.at(-1)!);
      return [name, {shape, data: data.map(() => (2 * Math.random() - 1) * bound)}];
    }),
  );
}
