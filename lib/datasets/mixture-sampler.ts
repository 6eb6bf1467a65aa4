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

export interface Drawn {
  readonly sample: DatasetSample;
  /** For everything else that is random about this draw; equal for equal seed and place in the run. */
  readonly generator: TorchGenerator;
}

interface Task {
  readonly name: string;
  readonly samples: readonly DatasetSample[];
  /** Upper end of its share of [0, 1). */
  readonly end: number;
}

export class MixtureSampler {
  readonly #seed: number;
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
    this.#tasks = shareOut(groupByTask(samples), weights);
    this.#draws = draws;
    this.#taken = new Map(Object.entries(taken));
  }

  get state(): SamplerState {
    return {draws: this.#draws, taken: Object.fromEntries(this.#taken)};
  }

  next(): Drawn {
    const generator = new TorchGenerator(mix(this.#seed, this.#draws++));
    const [choice] = generator.rand([1]);
    const task = this.#tasks.find(({end}) => choice! < end) ?? this.#tasks.at(-1)!;
    const taken = this.#taken.get(task.name) ?? 0;
    this.#taken.set(task.name, taken + 1);
    const {length} = task.samples;
    const order = this.#orderOf(task, Math.floor(taken / length));
    return {sample: task.samples[order[taken % length]!]!, generator};
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

function groupByTask(samples: readonly DatasetSample[]): Map<string, DatasetSample[]> {
  const groups = new Map<string, DatasetSample[]>();
  for (const sample of samples) {
    const group = groups.get(sample.task) ?? [];
    group.push(sample);
    groups.set(sample.task, group);
  }
  return groups;
}

function shareOut(
  byTask: ReadonlyMap<string, readonly DatasetSample[]>,
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
