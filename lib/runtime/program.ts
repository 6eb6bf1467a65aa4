/**
 * How a traced graph is handed to the native runtime: types only, no code.
 */
import type {DType} from './dtype.ts';

/** Values of op attributes; booleans and enum names are resolved natively. */
export type AttributeValue = number | boolean | string | readonly number[];

export interface ProgramTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface ProgramNode {
  readonly op: string;
  /** Tensor ids; -1 where an optional input is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Where in the model the node was traced, e.g. `unet.downBlocks.0.resnets.1.conv1`. */
  readonly scope: string;
}

/** A program: tensors by id, nodes in execution order, and the ids that are bound at each run. */
export interface ProgramDescription {
  readonly tensors: readonly ProgramTensor[];
  readonly nodes: readonly ProgramNode[];
  readonly inputs: readonly number[];
  readonly parameters: readonly number[];
  readonly outputs: readonly number[];
  /** Indices of inputs that a run may write to, for outputs or on the way. Default: none. */
  readonly donated?: readonly number[];
}
