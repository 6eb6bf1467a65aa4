/**
 * A UNet of Stable Diffusion's kind, trained on the targets of a training set and their prompts (Rombach et al. 2022, §3.2
 * and §3.3) in the latents of a frozen autoencoder.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import {ArgumentError} from '../../errors.ts';
import {describeUNetWeights} from '../../models/unet.ts';
import {parseUNetConfig} from '../../models/unet-config.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import type {TextEncoder} from '../../pipelines/components/text-encoder.ts';
import {createScheduler} from '../../schedulers/create-scheduler.ts';
import type {SchedulerConfig} from '../../schedulers/scheduler-config.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';
import {checkSizes} from '../batches/check-sizes.ts';
import {encodePrompts} from '../batches/encode-prompts.ts';
import type {EncoderCache} from '../batches/encoder-cache.ts';
import {latentSize} from '../batches/latent-size.ts';
import {type NoisySample, noisyLatents} from '../batches/noisy-latents.ts';
import {SampleStream} from '../batches/sample-stream.ts';
import {TextCache} from '../batches/text-cache.ts';
import {type TimestepBias, timestepAt} from '../batches/timestep-bias.ts';
import {trainedPrediction} from '../diffusion-loss.ts';
import {initialWeights} from '../initial-weights.ts';
import type {Objective} from '../objective.ts';
import {type UNetBatch, unetLoss} from '../unet-loss.ts';
import {encodedBatches} from './encoded-batches.ts';
import {configText, type ModelConfigJson, type ModelSetup} from './model-setup.ts';
import {readWeights} from './read-weights.ts';

export interface UNetSetup extends ModelSetup {
  /** In diffusers' names. */
  readonly config: ModelConfigJson;
  readonly vae: Autoencoder;
  readonly textEncoder: TextEncoder;
  readonly schedulerConfig: SchedulerConfig;
  /** Weights to begin with; without them they are drawn. */
  readonly from?: WeightIndex | undefined;
  /** Share of samples that lose their prompt, which guidance needs. */
  readonly dropText: number;
  readonly minSnrGamma?: number | undefined;
  readonly timestepBias?: TimestepBias | undefined;
  /** For latents of pictures; without it the autoencoder encodes each again. */
  readonly cache?: EncoderCache | undefined;
}

interface Sample extends NoisySample {
  readonly prompt: string;
  readonly choices: {readonly timestep: number; readonly keepsText: boolean};
}

/** Second convolutions and projections begin at 0, so that blocks begin as the identity (Ho et al. 2020, official code). */
const zeros = /(^conv_out|\.conv2|\.proj_out)\.weight$/;

/**
 * @throws ArgumentError for a configuration that is none, or does not fit the encoders; WeightsError for weights to begin
 *   with of another
 */
export async function unetObjective(setup: UNetSetup): Promise<Objective<UNetBatch>> {
  const {
    engine,
    dtype,
    dataset,
    training,
    vae,
    textEncoder,
    from,
    dropText,
    minSnrGamma,
    timestepBias,
    cache,
  } = setup;
  const config = parseUNetConfig(setup.config);
  const {hiddenSize} = textEncoder.config;
  if (config.crossAttentionDim !== hiddenSize) {
    throw new ArgumentError(
      `unet.config: expected a cross_attention_dim of ${hiddenSize}, as wide as the texts, got ${config.crossAttentionDim}.`,
    );
  }
  checkSizes({vae, denoiser: {config}}, training);
  const scheduler = createScheduler('ddpm', setup.schedulerConfig);
  const {numTrainTimesteps, alphasCumprod} = scheduler;
  const predictionType = trainedPrediction(scheduler.predictionType);
  const texts = new TextCache(engine);
  const encode = async (samples: readonly Sample[], options: RunOptions) => ({
    ...(await noisyLatents(vae, samples, {...options, alphasCumprod, predictionType, minSnrGamma})),
    encoderHiddenStates: await encodePrompts(textEncoder, samples, {...options, texts}),
  });
  return {
    engine,
    dtype,
    label: 'unet',
    initial:
      from === undefined
        ? initialWeights(describeUNetWeights(config), {seed: training.seed, zeros})
        : await readWeights(describeUNetWeights(config), from, 'unet'),
    files: {
      weights: 'diffusion_pytorch_model.safetensors',
      companions: new Map([
        ['config.json', configText({...setup.config, _class_name: 'UNet2DConditionModel'})],
      ]),
    },
    lossOf: (weights, batch) => unetLoss(weights, config, batch, dtype),
    openBatches: (state, place) =>
      encodedBatches<UNetBatch, Sample>(
        new SampleStream<Sample>(
          dataset,
          {
            async prepare({sample: {target: picture, prompt}, generator}, pool) {
              const [forTimestep, forDropout] = generator.rand([2]) as unknown as [number, number];
              const target = await pool.run({picture, form: {buckets: training.buckets}, cache});
              const timestep = timestepAt(forTimestep, numTrainTimesteps, timestepBias);
              if ('reason' in target) return target;
              return {target, prompt, choices: {timestep, keepsText: forDropout >= dropText}, generator};
            },
            sizeOf: ({target}) => latentSize(target, vae.scaleFactor),
          },
          training,
          state,
        ),
        place,
        encode,
      ),
  };
}
