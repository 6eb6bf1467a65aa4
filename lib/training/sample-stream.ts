/**
 * Samples for training, one after the other, with their pictures read and their choices made.
 */
import {type Dataset, readDatasetImage} from '../datasets/dataset.ts';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import {MixtureSampler, type SamplerState} from '../datasets/mixture-sampler.ts';
import {FileError} from '../errors.ts';
import type {PreparedSample} from './encode-batch.ts';
import {type ConditionDropout, chooseForSample} from './sample-choices.ts';

export interface SampleStreamOptions {
  readonly seed: number;
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  readonly dropout: ConditionDropout;
  readonly numTrainTimesteps: number;
}

/** Share of samples that may be unreadable. */
const maxBadShare = 0.1;
/** Draws before the share is judged. */
const minDraws = 20;

export class SampleStream {
  readonly #dataset: Dataset;
  readonly #options: SampleStreamOptions;
  readonly #sampler: MixtureSampler;
  readonly #problems = new Map<string, DatasetProblem>();
  #badDraws = 0;

  /** @param state of another stream, to go on from */
  constructor(dataset: Dataset, options: SampleStreamOptions, state?: SamplerState) {
    const {seed, taskWeights: weights} = options;
    this.#dataset = dataset;
    this.#options = options;
    this.#sampler = new MixtureSampler(dataset.samples, {seed, weights}, state);
  }

  get state(): SamplerState {
    return this.#sampler.state;
  }

  /** Samples that could not be read, once each. */
  get problems(): readonly DatasetProblem[] {
    return [...this.#problems.values()];
  }

  /** @throws FileError where more than a tenth of the samples cannot be read */
  async next(): Promise<PreparedSample> {
    for (;;) {
      const sample = await this.#tryNext();
      if (sample !== undefined) return sample;
    }
  }

  async #tryNext(): Promise<PreparedSample | undefined> {
    const {sample, generator} = this.#sampler.next();
    const {prompt, objectName, task} = sample;
    const {dropout, numTrainTimesteps} = this.#options;
    const instructions = this.#dataset.instructions.get(task) ?? [];
    const choices = chooseForSample(generator, {numTrainTimesteps, dropout, instructions, objectName});
    try {
      const target = await readDatasetImage(sample.target);
      return {prompt, target, condition: await readDatasetImage(sample.condition), choices, generator};
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#passOver({place: sample.place, reason: error.message});
      return undefined;
    }
  }

  #passOver(problem: DatasetProblem): void {
    this.#problems.set(problem.place, problem);
    this.#badDraws++;
    const {draws} = this.state;
    if (draws >= minDraws && this.#badDraws > maxBadShare * draws) {
      throw new FileError(
        `${this.#dataset.folder}: ${this.#badDraws} of ${draws} samples cannot be read, more than a tenth. ` +
          `The last: ${problem.place}: ${problem.reason}`,
      );
    }
  }
}
