/**
 * Batches of samples for training, with their pictures prepared and their choices made. The next ones are prepared in
 * threads meanwhile; which samples come, and their bits, depend neither on the threads nor on time.
 */
import {BatchQueues} from '../../datasets/batch-queues.ts';
import type {Dataset} from '../../datasets/dataset.ts';
import type {DatasetProblem} from '../../datasets/dataset-sample.ts';
import {type Draw, type Drawn, MixtureSampler, type SamplerState} from '../../datasets/mixture-sampler.ts';
import {DisposedError, FileError, invalidArgument} from '../../errors.ts';
import {PicturePool} from './picture-pool.ts';
import type {Unreadable} from './prepare-pictures.ts';

export interface SampleStreamOptions {
  readonly seed: number;
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  readonly batchSize: number;
  /** Threads that prepare pictures; 0: none, and nothing is prepared ahead. */
  readonly numWorkers: number;
}

/** What becomes of draws. */
export interface SampleForm<Sample extends object> {
  /** A sample as a step takes it; what is random about it comes from the draw. */
  prepare(drawn: Drawn, pictures: PicturePool): Promise<Sample | Unreadable>;
  /** The samples of a batch have one size. */
  sizeOf(sample: Sample): string;
}

/** All that a stream needs to go on where another stood. */
export interface StreamState extends SamplerState {
  /** Draws that no batch has had yet. */
  readonly waiting: readonly Draw[];
}

/** A sample that is under way. */
interface Pending<Sample> {
  readonly drawn: Drawn;
  readonly sample: Promise<Sample | Unreadable>;
  /** Of the sampler, after this draw. */
  readonly state: SamplerState;
  /** Whether it had been drawn before that state. */
  readonly isAgain: boolean;
}

/** Between draws and batches. */
interface Course<Sample> {
  /** Draws to be made again, before new ones of the sampler. */
  readonly again: Drawn[];
  readonly sampler: MixtureSampler;
  readonly pending: Pending<Sample>[];
  readonly queues: BatchQueues<{readonly draw: Draw; readonly sample: Sample}>;
  /** Of the sampler, after the last draw that has come out of `pending`. */
  drawn: SamplerState;
}

/** Share of samples that may be unreadable. */
const maxBadShare = 0.1;
/** Draws before the share is judged. */
const minDraws = 20;

export class SampleStream<Sample extends object> {
  readonly #dataset: Dataset;
  readonly #form: SampleForm<Sample>;
  readonly #options: SampleStreamOptions;
  readonly #problems = new Map<string, DatasetProblem>();
  #badDraws = 0;
  #course: Course<Sample>;
  /** While there are threads. */
  #pool: PicturePool | undefined;

  /**
   * @param state of another stream, to go on from
   * @throws ArgumentError for weights or a number of threads that are none, or a state of another training set
   */
  constructor(
    dataset: Dataset,
    form: SampleForm<Sample>,
    options: SampleStreamOptions,
    state?: StreamState | undefined,
  ) {
    const {numWorkers} = options;
    if (!Number.isInteger(numWorkers) || numWorkers < 0) {
      throw invalidArgument('numWorkers', 'an integer of 0 or more', numWorkers);
    }
    this.#dataset = dataset;
    this.#form = form;
    this.#options = options;
    this.#course = this.#courseFrom(state);
  }

  /** Of the batches that were given, whatever is under way. */
  get state(): StreamState {
    const {again, pending, queues, drawn} = this.#course;
    const begun = pending.filter(({isAgain}) => isAgain).map(entry => entry.drawn);
    return {...drawn, waiting: [...queues.waiting, ...begun, ...again].map(({draw}) => draw)};
  }

  /** Whether samples are prepared that nobody has asked for yet. */
  get preparesAhead(): boolean {
    return this.#options.numWorkers > 0;
  }

  /** Samples that could not be read, once each. */
  get problems(): readonly DatasetProblem[] {
    return [...this.#problems.values()];
  }

  /**
   * Samples whose targets have one size.
   *
   * @throws FileError where more than a tenth of the samples cannot be read, DisposedError where it is stopped meanwhile
   */
  async nextBatch(): Promise<readonly Sample[]> {
    const course = this.#course;
    for (;;) {
      this.#prepareAhead(course);
      const {drawn, sample: promise, state} = course.pending[0]!;
      const sample = await promise;
      if (course !== this.#course) throw new DisposedError('samples: stopped while a batch was under way.');
      course.pending.shift();
      course.drawn = state;
      if (isUnreadable(sample)) {
        this.#passOver({place: drawn.sample.place, reason: sample.reason});
        continue;
      }
      const batch = course.queues.add(this.#form.sizeOf(sample), {draw: drawn.draw, sample});
      if (batch !== undefined) return batch.map(waiting => waiting.sample);
    }
  }

  /**
   * Ends the threads and drops what they have prepared; `nextBatch` begins anew, with the same samples.
   *
   * @param state of this stream, to begin anew from; default: as it is now
   */
  async stop(state = this.state): Promise<void> {
    this.#course = this.#courseFrom(state);
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }

  #courseFrom(state: StreamState | undefined): Course<Sample> {
    const {seed, taskWeights: weights, batchSize} = this.#options;
    const sampler = new MixtureSampler(this.#dataset.samples, {seed, weights}, state);
    return {
      again: (state?.waiting ?? []).map(draw => sampler.again(draw)),
      sampler,
      pending: [],
      queues: new BatchQueues(batchSize),
      drawn: sampler.state,
    };
  }

  /** Begins what is next, and with threads a batch beyond. */
  #prepareAhead({again, sampler, pending}: Course<Sample>): void {
    const {numWorkers, batchSize} = this.#options;
    const count = this.preparesAhead ? batchSize + numWorkers : 1;
    while (pending.length < count) {
      const isAgain = again.length > 0;
      const drawn = again.shift() ?? sampler.next();
      const sample = this.#prepare(drawn);
      // Whoever awaits it is told; it may fail before that, and then the process would end.
      sample.catch(() => {});
      pending.push({drawn, sample, state: sampler.state, isAgain});
    }
  }

  async #prepare(drawn: Drawn): Promise<Sample | Unreadable> {
    this.#pool ??= new PicturePool(this.#options.numWorkers);
    return this.#form.prepare(drawn, this.#pool);
  }

  #passOver(problem: DatasetProblem): void {
    this.#problems.set(problem.place, problem);
    this.#badDraws++;
    const {draws} = this.#course.drawn;
    if (draws >= minDraws && this.#badDraws > maxBadShare * draws) {
      throw new FileError(
        `${this.#dataset.folder}: ${this.#badDraws} of ${draws} samples cannot be read, more than a tenth. ` +
          `The last: ${problem.place}: ${problem.reason}`,
      );
    }
  }
}

function isUnreadable(sample: object): sample is Unreadable {
  return 'reason' in sample;
}
