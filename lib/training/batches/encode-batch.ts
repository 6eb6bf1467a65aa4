/**
 * From samples to what a training step reads: pictures to latents and CLIP features, texts to hidden states, noise added.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import {ArgumentError} from '../../errors.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {drawLatents} from '../../pipelines/initial-latents.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {diffusionTarget, minSnrWeight, type TrainedPrediction} from '../diffusion-loss.ts';
import {encodeConditions, encodeTarget} from './encode-pictures.ts';
import type {PreparedSample} from './sample-stream.ts';
import type {TextCache} from './text-cache.ts';

export interface EncodeOptions extends RunOptions {
  /** Keeps texts from batch to batch. */
  readonly texts: TextCache;
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

/** @throws ArgumentError where the models have no adapter, FileError where the cache cannot be written */
export async function encodeBatch(
  models: PipelineModels,
  samples: readonly PreparedSample[],
  options: EncodeOptions,
): Promise<EncodedBatch> {
  const {textEncoder, vae} = models;
  const {texts} = options;
  const adapter = adapterOf(models);
  const promptOf = ({prompt, choices}: PreparedSample) => (choices.keepsText ? prompt : '');
  const prompts = await texts.encode('prompt', samples.map(promptOf), missing =>
    textEncoder.encode(missing, 0, options),
  );
  const noisy: HostTensor[] = [];
  const targets: HostTensor[] = [];
  const weights: number[] = [];
  for (const sample of samples) {
    const {generator, choices} = sample;
    const posterior = await encodeTarget(vae, sample.target, options);
    const {shape} = posterior.mean;
    const latents = drawLatents(posterior, generator);
    const noise = generator.randn(shape);
    const alpha = options.alphasCumprod[choices.timestep]!;
    const made = diffusionTarget(latents, noise, alpha, options.predictionType);
    noisy.push({shape, data: made.noisy});
    targets.push({shape, data: made.target});
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
    encoderHiddenStates: prompts,
    condition: {
      image: await encodeConditions(adapter, samples, options),
      ...(readsPrompt && {prompt: prompts}),
      ...(readsInstruction && {
        instruction: await texts.encode('instruction', samples.map(instructionOf), missing =>
          adapter.instructionEncoder.encode(missing, options),
        ),
      }),
    },
    imageScales: {shape: [layers.length, count], data: new Float32Array(layers.length * count).fill(1)},
  };
}
