/**
 * What a training run will take, measured on this machine without its data: one batch encoded and differentiated, one
 * step of the optimiser, with samples that are made up.
 */
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {type MemoryEstimate, memoryOf} from '../../pipelines/memory-estimate.ts';
import {createScheduler} from '../../schedulers/create-scheduler.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {AdamW} from '../adamw.ts';
import type {AdapterBatch} from '../adapter-loss.ts';
import type {PreparedSample} from '../batches/adapter-samples.ts';
import {checkSizes} from '../batches/check-sizes.ts';
import {adapterOf, type EncodedBatch, encodeBatch} from '../batches/encode-batch.ts';
import {TextCache} from '../batches/text-cache.ts';
import {TextTeacher} from '../batches/text-teacher.ts';
import {batchTypes} from '../device-batch.ts';
import {compileGradientStep, differentiate} from '../differentiate.ts';
import {trainedPrediction} from '../diffusion-loss.ts';
import {adapterStep} from '../objectives/adapter.ts';
import type {ResolvedTrainerOptions} from '../trainer-options.ts';

/** What a run takes of memory and time, measured on this machine. */
export interface TrainingForecast {
  readonly trainedParameters: number;
  /** Of the step's program: frozen weights, activations, optimiser and gradients. */
  readonly memory: MemoryEstimate;
  /** What activations take where they are kept for the way back, and where they are computed again (`recompute`). */
  readonly activationBytes: {readonly kept: number; readonly recomputed: number};
  /** Largest resident memory of this process so far, the measured step included. */
  readonly peakBytes: number;
  /** Encoders' work for a batch, and the teacher's. */
  readonly encodeSeconds: number;
  /** Loss and gradients of a batch. */
  readonly gradientSeconds: number;
  /** The optimiser's part of a step. */
  readonly optimizerSeconds: number;
  readonly secondsPerStep: number;
  readonly totalSeconds: number;
}

/** A run whose data need not be there. */
export type ForecastOptions = Omit<ResolvedTrainerOptions, 'dataset' | 'folder'>;

/**
 * Each part runs twice, and the second time counts: the first one prepares weights.
 *
 * @throws ArgumentError for sizes that the models cannot be trained on
 */
export async function forecastTraining(options: ForecastOptions): Promise<TrainingForecast> {
  const {models, initial, accumulate, steps, optimizer: adamw, learningRate} = options;
  const {engine} = models;
  checkSizes(models, options);
  const optimizer = AdamW.begin(engine, initial, adamw);
  try {
    const step = compileGradientStep(adapterStep(options), options);
    const teacher = TextTeacher.of(options);
    const batch = await encodeMadeUp(options, teacher);
    const trainedParameters = [...initial.values()].reduce((sum, {data}) => sum + data.length, 0);
    const types = {state: optimizer.state, batch: batchTypes<AdapterBatch>(batch)};
    const heldBytes = 4 * trainedParameters * unitsHeld(accumulate);
    const memory = memoryOf(engine, [step.plan(types)], heldBytes);
    const activationBytesOf = (recompute: boolean) =>
      compileGradientStep(adapterStep(options), {recompute}).plan(types).program.peakBytes;
    const activationBytes = {kept: activationBytesOf(false), recomputed: activationBytesOf(true)};
    const encodeSeconds = await secondsOf(() => encodeMadeUp(options, teacher));
    const {gradients: first} = await differentiate(step, engine.device, optimizer.state, batch);
    for (const tensor of Object.values(first)) tensor.dispose();
    let gradients = first;
    const gradientSeconds = await secondsOf(async () => {
      ({gradients} = await differentiate(step, engine.device, optimizer.state, batch));
    });
    await optimizer.step(gradients, {learningRate});
    const optimizerSeconds = await secondsOf(() => optimizer.step(gradients, {learningRate}));
    for (const tensor of Object.values(gradients)) tensor.dispose();
    const secondsPerStep = accumulate * (encodeSeconds + gradientSeconds) + optimizerSeconds;
    return {
      trainedParameters,
      memory,
      activationBytes,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      encodeSeconds,
      gradientSeconds,
      optimizerSeconds,
      secondsPerStep,
      totalSeconds: steps * secondsPerStep,
    };
  } finally {
    optimizer.dispose();
  }
}

/** A batch of noise for pictures, of the largest size. */
function encodeMadeUp(
  {models, batchSize, buckets, minSnrGamma}: ForecastOptions,
  teacher: TextTeacher | undefined,
): Promise<EncodedBatch> {
  const {alphasCumprod, predictionType} = createScheduler('ddpm', models.schedulerConfig);
  const [width, height] = buckets.reduce((a, b) => (b[0] * b[1] > a[0] * a[1] ? b : a));
  const side = adapterOf(models).imageEncoder.preprocess.cropSize;
  const samples = Array.from({length: batchSize}, (_, seed): PreparedSample => {
    const generator = new TorchGenerator(seed);
    return {
      // Each its own, as in training.
      prompt: `picture ${seed}`,
      teacherPrompt: `picture ${seed}`,
      target: {pixels: noise(generator, [1, 3, height, width]), entry: undefined},
      condition: {pixels: noise(generator, [1, 3, side, side]), entry: undefined},
      choices: {timestep: 500, instruction: 'use the style', keepsText: true, keepsImage: true},
      generator,
    };
  });
  return encodeBatch(models, samples, {
    texts: new TextCache(models.engine),
    teacher,
    minSnrGamma,
    alphasCumprod,
    predictionType: trainedPrediction(predictionType),
  });
}

/** From -1 to 1. */
function noise(generator: TorchGenerator, shape: readonly number[]): HostTensor {
  return {shape, data: generator.rand(shape).map(x => 2 * x - 1)};
}

/**
 * Tensors of the weights' size that live outside of programs while a batch is differentiated: weights and moments, its
 * gradients, and those of the step's batches before.
 */
function unitsHeld(accumulate: number): number {
  return accumulate > 1 ? 5 : 4;
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}
