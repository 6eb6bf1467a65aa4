/**
 * Small programs for tests of the runtime.
 */
import type {ProgramDescription, ProgramNode} from '../../lib/runtime/program.ts';

/** `length` affine nodes in a row, each x → scale·x + offset, over one tensor of `size` floats. */
export function affineChain(length: number, size: number, {scale = 1, offset = 1} = {}): ProgramDescription {
  const nodes = Array.from(
    {length},
    (_, index): ProgramNode => ({
      op: 'affine',
      inputs: [index],
      outputs: [index + 1],
      attributes: {scale, offset},
      scope: `chain.${index}`,
    }),
  );
  return {
    tensors: Array.from({length: length + 1}, () => ({dtype: 'float32' as const, shape: [size]})),
    nodes,
    inputs: [0],
    parameters: [],
    outputs: [length],
  };
}
