/**
 * What a run trains: weights to begin with, batches to train on, and what is to become small of them.
 */
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import type {Engine} from '../engine/engine.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import type {RankPlace} from '../runtime/communicator.ts';
import type {StreamState} from './batches/sample-stream.ts';
import type {HostBatch} from './device-batch.ts';
import type {Loss} from './state-gradients.ts';
import type {TrainingLog} from './watch/training-log.ts';
import type {TrainingWatch} from './watch/training-watch.ts';

/**
 * What is trained: weights to begin with, batches, a loss, and the files of a checkpoint.
 *
 * @typeParam Batch a batch as the loss reads it: a tree of symbolic tensors
 */
export interface Objective<Batch> {
  readonly engine: Engine;
  /** Of products and activations; trained weights are float32. */
  readonly dtype: ComputeDType;
  /** Stands before the names of weights in scopes and messages. */
  readonly label: string;
  readonly initial: ReadonlyMap<string, HostTensor>;
  readonly files: ModelFiles;
  /** Records the loss of a batch, for a model with these weights. */
  readonly lossOf: (weights: Weights, batch: Batch) => Loss;
  /** Whether a sample's part of the loss depends on the others of its batch, so that ranks cannot share a batch out. */
  readonly couplesSamples?: boolean | undefined;
  /**
   * Begins to read and prepare samples.
   *
   * @param state of other batches, to go on from
   * @param place of a rank, which is given its rows of each batch alone; without it all are
   */
  openBatches(state?: StreamState, place?: RankPlace): Batches<Batch>;
  /** What looks at the weights while they are trained, if anything does. */
  createWatch?(log: TrainingLog): TrainingWatch;
}

/** A model on disk. */
export interface ModelFiles {
  /** Name of the file with the weights. */
  readonly weights: string;
  /** Weights of the model that are not trained, by their names: the file has them too. */
  readonly frozen?: ReadonlyMap<string, HostTensor> | undefined;
  /** Texts of the files that other tools expect beside it, by their names: `config.json`, a vocabulary. */
  readonly companions: ReadonlyMap<string, string>;
}

/** The batches of a run, in the order of its draws. */
export interface Batches<Batch> {
  /** Of the batches that were given; equal on all ranks. */
  readonly state: StreamState;
  /** Samples that could not be read, once each. */
  readonly problems: readonly DatasetProblem[];
  /**
   * @param isLast whether no other will be asked for, so that none is prepared meanwhile
   * @throws FileError where too many samples cannot be read
   */
  next(isLast?: boolean): Promise<HostBatch<Batch>>;
  /** Ends threads; `next` begins anew, with the same samples. */
  stop(): Promise<void>;
}
