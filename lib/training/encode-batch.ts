/**
 * From samples to what a training step reads: pictures to latents and CLIP features, texts to hidden states, noise added.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {ArgumentError} from '../errors.ts';
import type {AdapterModels} from '../pipelines/conditioning.ts';
import {gatherRows, type HostTensor, stackRows} from '../pipelines/host-tensor.ts';
import {latentShape, samplePosterior} from '../pipelines/initial-latents.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import {diffusionTarget, minSnrWeight, type TrainedPrediction} from './diffusion-loss.ts';
import type {PreparedSample} from './sample-stream.ts';

export interface EncodeOptions extends RunOptions {
  readonly alphasCumprod: Float32Array;
  readonly predictionType: TrainedPrediction;
  /** γ of min-SNR weighting; without it errors are not weighted. */
  readonly minSnrGamma?: number | undefined;
}

export interface EncodedBatch {
  readonly noisy: HostTensor;
  readonly target: HostTensor;
  readonly timesteps: HostTensor;
  readonly weights: HostTensor;
  readonly encoderHiddenStates: HostTensor;
  readonly condition: {
    readonly image: HostTensor;
    readonly prompt?: HostTensor;
    readonly instruction?: HostTensor;
  };
  readonly imageScales: HostTensor;
}

/** @throws ArgumentError where the models have no adapter */
export function adapterOf({adapter}: PipelineModels): AdapterModels {
  if (adapter !== undefined) return adapter;
  throw new ArgumentError(
    'models: expected an adapter of the kind that is trained, with its image encoder, got none. Load them for training.',
  );
}

/** @throws ArgumentError where the models have no adapter */
export async function encodeBatch(
  models: PipelineModels,
  samples: readonly PreparedSample[],
  options: EncodeOptions,
): Promise<EncodedBatch> {
  const {textEncoder} = models;
  const adapter = adapterOf(models);
  const promptOf = ({prompt, choices}: PreparedSample) => (choices.keepsText ? prompt : '');
  const texts = await textEncoder.encode(samples.map(promptOf), 0, options);
  const noisy: HostTensor[] = [];
  const targets: HostTensor[] = [];
  const weights: number[] = [];
  for (const sample of samples) {
    const latents = await drawLatents(models, sample, options);
    const noise = sample.generator.randn(latents.shape);
    const alpha = options.alphasCumprod[sample.choices.timestep]!;
    const made = diffusionTarget(latents.data, noise, alpha, options.predictionType);
    noisy.push({shape: latents.shape, data: made.noisy});
    targets.push({shape: latents.shape, data: made.target});
    const {minSnrGamma, predictionType} = options;
    weights.push(minSnrGamma === undefined ? 1 : minSnrWeight(alpha, minSnrGamma, predictionType));
  }
  const {readsPrompt, readsInstruction, layers} = adapter.adapter;
  // A dropped image goes with its instruction, as in unconditional tokens.
  const instructionOf = ({choices}: PreparedSample) => (choices.keepsImage ? choices.instruction : '');
  const count = samples.length;
  return {
    noisy: stackRows(noisy),
    target: stackRows(targets),
    timesteps: {shape: [count], data: Float32Array.from(samples, ({choices}) => choices.timestep)},
    weights: {shape: [count, 1, 1, 1], data: Float32Array.from(weights)},
    encoderHiddenStates: texts,
    condition: {
      image: await encodeConditions(adapter, samples, options),
      ...(readsPrompt && {prompt: texts}),
      ...(readsInstruction && {
        instruction: await adapter.instructionEncoder.encode(samples.map(instructionOf), options),
      }),
    },
    imageScales: {shape: [layers.length, count], data: new Float32Array(layers.length * count).fill(1)},
  };
}

/** Latents drawn from the posterior of the sample's picture: [1, C, h, w]. */
async function drawLatents(
  {vae}: PipelineModels,
  {target, generator}: PreparedSample,
  options: RunOptions,
): Promise<HostTensor> {
  const [, , height, width] = target.shape as [number, number, number, number];
  const size = {channels: vae.config.latentChannels, height, width};
  const data = await samplePosterior(vae, target, generator, options);
  return {shape: latentShape(size, vae.scaleFactor), data};
}

/**
 * Features of the condition images, in one run of the encoder; of the zero image where one is dropped, as IP-Adapter's
 * training has it.
 */
async function encodeConditions(
  {adapter, imageEncoder}: AdapterModels,
  samples: readonly PreparedSample[],
  options: RunOptions,
): Promise<HostTensor> {
  const kept = samples.filter(({choices}) => choices.keepsImage);
  const features: HostTensor[] = [];
  if (kept.length > 0) {
    const pixels = stackRows(kept.map(({condition}) => condition));
    features.push(await imageEncoder.encode(pixels, adapter.features, options));
  }
  if (kept.length < samples.length) {
    features.push(await imageEncoder.unconditional(adapter.features, 'zero', options));
  }
  const places = samples.map(sample => (sample.choices.keepsImage ? kept.indexOf(sample) : kept.length));
  return gatherRows(stackRows(features), places);
}
