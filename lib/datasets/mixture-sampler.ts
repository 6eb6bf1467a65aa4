/**
 * Which sample comes next: tasks at random by their weights, and each task's samples in an order that is drawn anew
 * for each round through them.
 */
import {ArgumentError} from '../errors.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';
import type {DatasetSample} from './dataset-sample.ts';

export interface MixtureOptions {
  readonly seed: number;
  /** Weights of the tasks, of which only the ratios count. Default: all tasks that there are, equally often. */
  readonly weights?: Readonly<Record<string, number>> | undefined;
}

/** All that a sampler needs to go on where another stood. */
export interface SamplerState {
  /** Samples drawn. */
  readonly draws: number;
  /** Samples drawn of each task. */
  readonly taken: Readonly<Record<string, number>>;
}

/** What a draw can be made again from. */
export interface Draw {
  /** Draws before it. */
  readonly number: number;
  /** Its sample's index in the training set. */
  readonly sample: number;
}

export interface Drawn {
  readonly draw: Draw;
  readonly sample: DatasetSample;
  /** For everything else that is random about this draw; equal for equal seed and place in the run. */
  readonly generator: TorchGenerator;
}

interface Task {
  readonly name: string;
  /** Indices in the training set. */
  readonly samples: readonly number[];
  /** Upper end of its share of [0, 1). */
  readonly end: number;
}

export class MixtureSampler {
  readonly #seed: number;
  readonly #samples: readonly DatasetSample[];
  readonly #tasks: readonly Task[];
  readonly #orders = new Map<string, {round: number; order: Uint32Array}>();
  #draws: number;
  readonly #taken: Map<string, number>;

  /** @throws ArgumentError for a weight of a task without samples, or weights that are none */
  constructor(
    samples: readonly DatasetSample[],
    {seed, weights}: MixtureOptions,
    {draws, taken}: SamplerState = {draws: 0, taken: {}},
  ) {
    this.#seed = seed;
    this.#samples = samples;
    this.#tasks = shareOut(groupByTask(samples), weights);
    this.#draws = draws;
    this.#taken = new Map(Object.entries(taken));
  }

  get state(): SamplerState {
    return {draws: this.#draws, taken: Object.fromEntries(this.#taken)};
  }

  next(): Drawn {
    const number = this.#draws++;
    const {choice, generator} = this.#begin(number);
    const task = this.#tasks.find(({end}) => choice < end) ?? this.#tasks.at(-1)!;
    const taken = this.#taken.get(task.name) ?? 0;
    this.#taken.set(task.name, taken + 1);
    const {length} = task.samples;
    const order = this.#orderOf(task, Math.floor(taken / length));
    const index = task.samples[order[taken % length]!]!;
    return {draw: {number, sample: index}, sample: this.#samples[index]!, generator};
  }

  /**
   * A draw of an equal sampler once more; the state stays.
   *
   * @throws ArgumentError where there is no such sample
   */
  again(draw: Draw): Drawn {
    const sample = this.#samples[draw.sample];
    if (sample === undefined) {
      throw new ArgumentError(
        `state: expected draws of the ${this.#samples.length} samples that there are, got sample ${draw.sample}. ` +
          'Go on with the training set that the run began with.',
      );
    }
    return {draw, sample, generator: this.#begin(draw.number).generator};
  }

  /** What is random about a draw: its task comes first. */
  #begin(number: number): {choice: number; generator: TorchGenerator} {
    const generator = new TorchGenerator(mix(this.#seed, number));
    const [choice] = generator.rand([1]);
    return {choice: choice!, generator};
  }

  /** As PyTorch's DistributedSampler: `torch.randperm` seeded with the sum of seed and round. */
  #orderOf({name, samples}: Task, round: number): Uint32Array {
    const known = this.#orders.get(name);
    if (known?.round === round) return known.order;
    const order = new TorchGenerator(this.#seed + round).randperm(samples.length);
    this.#orders.set(name, {round, order});
    return order;
  }
}

function groupByTask(samples: readonly DatasetSample[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [index, {task}] of samples.entries()) {
    const group = groups.get(task) ?? [];
    group.push(index);
    groups.set(task, group);
  }
  return groups;
}

function shareOut(
  byTask: ReadonlyMap<string, readonly number[]>,
  weights: Readonly<Record<string, number>> | undefined,
): Task[] {
  const names = weights === undefined ? [...byTask.keys()].sort() : Object.keys(weights);
  const weightOf = (name: string) => weights?.[name] ?? 1;
  const total = names.reduce((sum, name) => sum + weightOf(name), 0);
  let end = 0;
  return names.map(name => {
    const samples = byTask.get(name);
    const weight = weightOf(name);
    if (samples === undefined || !(weight > 0) || !Number.isFinite(total)) {
      throw new ArgumentError(
        `weights.${name}: expected a positive number for a task that has samples (${[...byTask.keys()].sort().join(', ')}), ` +
          `got ${weight}${samples === undefined ? ' for one that has none' : ''}.`,
      );
    }
    end += weight / total;
    return {name, samples, end};
  });
}

/** SplitMix64 (Steele, Lea & Flood 2014, figure 16) of a seed and a place: neighbours give unlike seeds. */
function mix(seed: number, place: number): bigint {
  const mask = (1n << 64n) - 1n;
  let z = (BigInt(seed) + BigInt(place + 1) * 0x9e3779b97f4a7c15n) & mask;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}
