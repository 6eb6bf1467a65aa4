/**
 * What a training run is made of, and what it tells.
 */
import type {Dataset} from '../datasets/dataset.ts';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import type {AdamWOptions} from './adamw.ts';
import type {EmaOptions} from './ema.ts';
import type {LearningRateSchedule} from './learning-rate.ts';
import {type ConditionDropout, defaultDropout} from './sample-choices.ts';
import type {ClipMetrics} from './sample-metrics.ts';
import type {ValidationLoss} from './validation.ts';
import type {ValidationOptions} from './validation-options.ts';

export interface TrainerOptions {
  /** Base model, encoders, and an adapter of the kind that is trained; its weights are not read. */
  readonly models: PipelineModels;
  readonly dtype: ComputeDType;
  readonly dataset: Dataset;
  /** Weights to begin with, by the adapter's names: of `initializeAdapter`, or of a trained adapter. */
  readonly initial: ReadonlyMap<string, HostTensor>;
  /**
   * Where checkpoints, `metrics.jsonl`, `tensorboard` and `samples` go; training goes on from the newest checkpoint in it.
   */
  readonly folder: string;
  /** Optimiser steps of the whole run. */
  readonly steps: number;
  /** Side of the training pictures in pixels, a multiple of 8. Default 512. */
  readonly resolution?: number;
  /** Samples that are computed at a time. Default 1. */
  readonly batchSize?: number;
  /** Batches whose gradients make a step. Default 1. */
  readonly accumulate?: number;
  /** Default 1e-6, as the paper's main run. */
  readonly learningRate?: number;
  /** Default `constant`. */
  readonly schedule?: LearningRateSchedule;
  readonly warmupSteps?: number;
  readonly optimizer?: AdamWOptions;
  /** Keeps a moving average of the weights beside them; a run may go on with or without. Default: none. */
  readonly ema?: EmaOptions;
  /** Norm that all gradients together are brought down to; without it they are taken as they are. */
  readonly maxGradientNorm?: number;
  readonly taskWeights?: Readonly<Record<string, number>>;
  readonly dropout?: ConditionDropout;
  readonly minSnrGamma?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Default 500. */
  readonly checkpointEvery?: number;
  /** Default 3. */
  readonly keepCheckpoints?: number;
  /** A held-out set to look at while training. Default: none. */
  readonly validation?: ValidationOptions;
  /** Steps in a row whose loss is not finite before the run gives up. Default 10. */
  readonly maxSkippedSteps?: number;
}

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

export interface TrainOptions {
  /** Ends training after the step that it is at, and a look at once; that step's state is saved. */
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((event: TrainingEvent) => void) | undefined;
  readonly onWatch?: ((event: WatchEvent) => void) | undefined;
}

export interface TrainingResult {
  /** Steps taken in all. */
  readonly step: number;
  readonly isFinished: boolean;
  /** Samples that could not be read, once each. */
  readonly problems: readonly DatasetProblem[];
}

export const trainerDefaults = {
  resolution: 512,
  batchSize: 1,
  accumulate: 1,
  learningRate: 1e-6,
  schedule: 'constant',
  warmupSteps: 0,
  optimizer: {},
  dropout: defaultDropout,
  seed: 0,
  checkpointEvery: 500,
  keepCheckpoints: 3,
  maxSkippedSteps: 10,
} as const;

/** Options with the defaults filled in. */
export type ResolvedTrainerOptions = TrainerOptions & typeof trainerDefaults;
