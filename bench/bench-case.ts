/**
 * What a suite is made of: work that both sides can do.
 */
import type {Engine} from '../lib/engine/engine.ts';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';

/** Arithmetic and memory traffic that no implementation can avoid, as the floor counts them. */
export interface Work {
  readonly flops: number;
  /** Inputs, weights and outputs, each once. */
  readonly bytes: number;
}

/** Our side of a case, ready to run. */
export interface Workload {
  readonly work: Work;
  run(): Promise<void>;
  dispose(): Promise<void>;
}

export interface Setup {
  readonly engine: Engine;
  readonly dtype: ComputeDType;
}

export interface BenchCase {
  readonly name: string;
  /** The sizes, as a reader wants to see them. */
  readonly shape: string;
  /** The function in pytorch/work.py that does the same work, and its arguments. */
  readonly pytorch: {readonly kind: string; readonly settings: Readonly<Record<string, number>>};
  /** Whether loading has run it already, for what takes minutes. */
  readonly warmedByLoading?: boolean;
  load(setup: Setup): Promise<Workload>;
}
