/**
 * What a training run is made of, and what it tells.
 */
import {z} from 'zod';
import type {Dataset} from '../datasets/dataset.ts';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import {ArgumentError} from '../errors.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import type {Communicator} from '../runtime/communicator.ts';
import {defaultDropout} from './batches/sample-choices.ts';
import {timestepBias} from './batches/timestep-bias.ts';
import {learningRateSchedules} from './learning-rate.ts';
import type {ClipMetrics} from './watch/sample-metrics.ts';
import type {ValidationLoss} from './watch/validation.ts';
import {validationSettings} from './watch/validation-settings.ts';

const count = z.int().positive();
/** In pixels; more than that depends on the models. */
const side = count.multipleOf(8);
const text = z.string().min(1);
const share = z.number().min(0).max(1);

/** Of the loop, whatever is trained. */
const loopFields = {
  /** Optimiser steps of the whole run. */
  steps: count,
  /** Samples that are computed at a time; ranks share them out evenly. Default 1. */
  batchSize: count.default(1),
  /** Batches whose gradients make a step. Default 1. */
  accumulate: count.default(1),
  /** Whether activations are computed again on the way back instead of kept: less memory, more time. Default false. */
  recompute: z.boolean().default(false),
  /** Default 1e-6, as the paper's main run. */
  learningRate: z.number().nonnegative().default(1e-6),
  /** Default `constant`. */
  schedule: z.enum(learningRateSchedules).default('constant'),
  warmupSteps: z.int().nonnegative().default(0),
  /** Names and defaults of PyTorch's AdamW. */
  optimizer: z
    .strictObject({
      beta1: share.lt(1).default(0.9),
      beta2: share.lt(1).default(0.999),
      epsilon: z.number().positive().default(1e-8),
      weightDecay: z.number().nonnegative().default(0.01),
      /** Moves the matrices within a network by Muon (Jordan et al. 2024), at AdamW's learning rates. Default: none. */
      muon: z.strictObject({momentum: share.lt(1).default(0.95)}).optional(),
    })
    .prefault({}),
  /** Keeps a moving average of the weights beside them; a run may go on with or without. Default: none. */
  ema: z.strictObject({decay: share.lt(1)}).optional(),
  /** Norm that all gradients together are brought down to; without it they are taken as they are. */
  maxGradientNorm: z.number().positive().optional(),
  /** Default 500. */
  checkpointEvery: count.default(500),
  /** Default 3. */
  keepCheckpoints: count.default(3),
  /** Steps in a row whose loss is not finite before the run gives up. Default 10. */
  maxSkippedSteps: count.default(10),
};

/** Of the batches, whatever is trained. */
const batchFields = {
  /** Side of the training pictures in pixels, a multiple of 64: short for one square bucket. Default 512. */
  resolution: side.default(512),
  /**
   * Sizes of the training pictures, [width, height] in multiples of 64. A picture is resized to cover the one of the
   * nearest aspect ratio and its centre is cut out; those of a batch have one size.
   */
  buckets: z
    .array(z.tuple([side, side]).readonly())
    .min(1)
    .readonly()
    .optional(),
  /** Threads that read and prepare the next samples; 0: each is prepared when its turn comes. Default 2. */
  numWorkers: z.int().nonnegative().default(2),
  /** Weights of the tasks, of which only the ratios count. Default: all tasks of the data, equally often. */
  taskWeights: z.record(z.string(), z.number().nonnegative()).optional(),
  /** Default 0. */
  seed: z.int().nonnegative().default(0),
};

/** Of an adapter's training. */
const adapterFields = {
  /** Instructions in place of the training set's, by task: one, or a pool. */
  instructions: z
    .record(z.string(), z.union([text.transform(one => [one]), z.array(text).min(1)]))
    .optional(),
  dropout: z
    .strictObject({text: share, image: share, textAndImage: share, instruction: share})
    .default(defaultDropout),
  minSnrGamma: z.number().positive().optional(),
  /**
   * Share of the target that the frozen base's own prediction makes up where it is told all of the target: by a sample's
   * `targetPrompt`, of replication by its prompt, even where the adapter is not. It teaches with fewer samples what those
   * prompts tell, and the base must follow them. Default: none.
   */
  textTeacher: share.optional(),
  /** Timesteps that are drawn more often. Default: none. */
  timestepBias: timestepBias.optional(),
  /** Looks at the weights with the samples of a held-out set. */
  validation: validationSettings.prefault({}),
};

const loop = z.strictObject(loopFields);
const whole = z.strictObject({...loopFields, ...batchFields});
const adapter = z.strictObject({...loopFields, ...batchFields, ...adapterFields});

/** {@link TrainerOptions} that a recipe can hold: defaults filled in, the resolution a bucket. */
export const trainerSettings = adapter.transform(withBuckets);

/** The same of the training of a whole model: its own options stand elsewhere. */
export const modelTrainingSettings = whole.transform(withBuckets);

/** What the loop itself reads. */
export type LoopSettings = z.output<typeof loop>;

/** Of the training of a whole model, defaults filled in. */
export type ModelTrainingSettings = z.output<typeof modelTrainingSettings>;

function withBuckets<T extends z.output<typeof whole>>({
  resolution,
  buckets = [[resolution, resolution]] as const,
  ...settings
}: T) {
  return {...settings, buckets};
}

/** A run that trains an adapter. */
export interface TrainerOptions extends z.input<typeof trainerSettings> {
  /** Base model, encoders, and an adapter of the kind that is trained; its weights are not read. */
  readonly models: PipelineModels;
  readonly dtype: ComputeDType;
  readonly dataset: Dataset;
  /** Held out from training, in the format of training sets. Default: none, and nothing is validated. */
  readonly validationSet?: Dataset | undefined;
  /** Weights to begin with, by the adapter's names: of `initializeAdapter`, or of a trained adapter. */
  readonly initial: ReadonlyMap<string, HostTensor>;
  /**
   * Where checkpoints, `metrics.jsonl`, `tensorboard` and `samples` go; training goes on from the newest checkpoint in it.
   */
  readonly folder: string;
  /**
   * Where what the VAE and the image encoder make of pictures is kept for later rounds and runs; without it they run for
   * each sample. Entries depend on the pictures' bytes, the encoders and the sizes; they may be removed at any time.
   */
  readonly cacheFolder?: string | undefined;
  /** As in `TrainingRun`. */
  readonly communicator?: Communicator | undefined;
}

/** Options with the defaults filled in. */
export type ResolvedTrainerOptions = Omit<TrainerOptions, keyof z.input<typeof trainerSettings>> &
  z.output<typeof trainerSettings>;

/** @throws ArgumentError for what no run can have */
export function resolveTrainerOptions(options: TrainerOptions): ResolvedTrainerOptions {
  const {models, dtype, dataset, validationSet, initial, folder, cacheFolder, communicator, ...settings} =
    options;
  const parsed = trainerSettings.safeParse(settings);
  if (!parsed.success) throw new ArgumentError(`training options: ${z.prettifyError(parsed.error)}`);
  const given = {models, dtype, dataset, validationSet, initial, folder, cacheFolder, communicator};
  return {...given, ...parsed.data};
}

/** What is told after each step. */
export interface TrainingEvent {
  /** Of the step that has ended, counted from 1. */
  readonly step: number;
  readonly totalSteps: number;
  /** Mean over the step's samples. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: number;
  /** Whether the step changed nothing, because its loss or gradients are not finite. */
  readonly isSkipped: boolean;
  readonly samplesPerSecond: number;
}

/** What was seen of the weights after a step. Where there is a moving average, it is what is looked at. */
export type WatchEvent =
  | ({readonly kind: 'validation'; readonly step: number} & ValidationLoss)
  | ({
      readonly kind: 'samples';
      readonly step: number;
      /** The grid's file. */
      readonly file: string;
      /** Samples that could not be read; they have no row. */
      readonly problems: readonly DatasetProblem[];
    } & ClipMetrics)
  /** A look that failed; training went on. */
  | {
      readonly kind: 'failure';
      readonly step: number;
      readonly during: 'validation' | 'samples';
      readonly message: string;
    };

/** How a run is watched and ended. */
export interface TrainOptions {
  /** Ends training after the step that it is at, and a look at once; that step's state is saved. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. */
  readonly onStep?: ((event: TrainingEvent) => void) | undefined;
  /** Called after each look at the weights. */
  readonly onWatch?: ((event: WatchEvent) => void) | undefined;
}

/** How far a run came. */
export interface TrainingResult {
  /** Steps taken in all. */
  readonly step: number;
  readonly isFinished: boolean;
  /** Samples that could not be read, once each. */
  readonly problems: readonly DatasetProblem[];
}
