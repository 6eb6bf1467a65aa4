/**
 * Samples for training, one after the other, with their pictures prepared and their choices made. The next ones are
 * prepared in threads meanwhile; which samples come, and their bits, depend neither on the threads nor on time.
 */
import type {Dataset} from '../datasets/dataset.ts';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import {type Drawn, MixtureSampler, type SamplerState} from '../datasets/mixture-sampler.ts';
import {FileError, invalidArgument} from '../errors.ts';
import {checkLatentSize} from '../images/latent-image.ts';
import type {TorchGenerator} from '../schedulers/torch-generator.ts';
import {PicturePool} from './picture-pool.ts';
import type {PictureSettings, PreparedPictures, UnreadablePictures} from './prepare-pictures.ts';
import {type ConditionDropout, chooseForSample, type SampleChoices} from './sample-choices.ts';

export interface SampleStreamOptions extends PictureSettings {
  readonly seed: number;
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  readonly dropout: ConditionDropout;
  readonly numTrainTimesteps: number;
  readonly batchSize: number;
  /** Threads that prepare pictures; 0: none, and nothing is prepared ahead. */
  readonly numWorkers: number;
}

/** A sample as a step takes it. */
export interface PreparedSample extends PreparedPictures {
  readonly prompt: string;
  readonly choices: SampleChoices;
  /** Draws the posterior of the latents, then the noise. */
  readonly generator: TorchGenerator;
}

/** A sample that is under way. */
interface Pending {
  readonly place: string;
  readonly sample: Promise<PreparedSample | UnreadablePictures>;
  /** Of the sampler, after this draw. */
  readonly state: SamplerState;
}

/** Share of samples that may be unreadable. */
const maxBadShare = 0.1;
/** Draws before the share is judged. */
const minDraws = 20;

export class SampleStream {
  readonly #dataset: Dataset;
  readonly #options: SampleStreamOptions;
  readonly #problems = new Map<string, DatasetProblem>();
  readonly #pending: Pending[] = [];
  #badDraws = 0;
  /** Stands behind the last of `#pending`. */
  #sampler: MixtureSampler;
  #delivered: SamplerState;
  /** While there are threads. */
  #pool: PicturePool | undefined;

  /**
   * @param state of another stream, to go on from
   * @throws ArgumentError for weights, a resolution or a number of threads that are none
   */
  constructor(dataset: Dataset, options: SampleStreamOptions, state?: SamplerState) {
    const {resolution, numWorkers} = options;
    checkLatentSize(resolution, resolution);
    if (!Number.isInteger(numWorkers) || numWorkers < 0) {
      throw invalidArgument('numWorkers', 'an integer of 0 or more', numWorkers);
    }
    this.#dataset = dataset;
    this.#options = options;
    this.#sampler = this.#samplerAt(state);
    this.#delivered = this.#sampler.state;
  }

  /** Of the samples that `next` has given, whatever is under way. */
  get state(): SamplerState {
    return this.#delivered;
  }

  /** Samples that could not be read, once each. */
  get problems(): readonly DatasetProblem[] {
    return [...this.#problems.values()];
  }

  /** @throws FileError where more than a tenth of the samples cannot be read */
  async next(): Promise<PreparedSample> {
    for (;;) {
      this.#prepareAhead();
      const {place, sample, state} = this.#pending.shift()!;
      const prepared = await sample;
      this.#delivered = state;
      if (!('reason' in prepared)) return prepared;
      this.#passOver({place, reason: prepared.reason});
    }
  }

  /** Ends the threads and drops what they have prepared; `next` begins anew, with the same samples. */
  async stop(): Promise<void> {
    this.#pending.length = 0;
    this.#sampler = this.#samplerAt(this.#delivered);
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.destroy();
  }

  #samplerAt(state: SamplerState | undefined): MixtureSampler {
    const {seed, taskWeights: weights} = this.#options;
    return new MixtureSampler(this.#dataset.samples, {seed, weights}, state);
  }

  /** Begins what is next, and with threads a batch beyond. */
  #prepareAhead(): void {
    const {numWorkers, batchSize} = this.#options;
    const count = numWorkers === 0 ? 1 : batchSize + numWorkers;
    while (this.#pending.length < count) {
      const drawn = this.#sampler.next();
      const sample = this.#prepare(drawn);
      // Whoever awaits it is told; it may fail before that, and then the process would end.
      sample.catch(() => {});
      this.#pending.push({place: drawn.sample.place, sample, state: this.#sampler.state});
    }
  }

  async #prepare({sample, generator}: Drawn): Promise<PreparedSample | UnreadablePictures> {
    const {prompt, objectName, task, target, condition} = sample;
    const {dropout, numTrainTimesteps, numWorkers, resolution, preprocess, caches} = this.#options;
    const instructions = this.#dataset.instructions.get(task) ?? [];
    const choices = chooseForSample(generator, {numTrainTimesteps, dropout, instructions, objectName});
    this.#pool ??= new PicturePool(numWorkers);
    const pictures = await this.#pool.run({target, condition, resolution, preprocess, caches});
    return 'reason' in pictures ? pictures : {...pictures, prompt, choices, generator};
  }

  #passOver(problem: DatasetProblem): void {
    this.#problems.set(problem.place, problem);
    this.#badDraws++;
    const {draws} = this.#delivered;
    if (draws >= minDraws && this.#badDraws > maxBadShare * draws) {
      throw new FileError(
        `${this.#dataset.folder}: ${this.#badDraws} of ${draws} samples cannot be read, more than a tenth. ` +
          `The last: ${problem.place}: ${problem.reason}`,
      );
    }
  }
}
