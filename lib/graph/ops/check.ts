/**
 * Shared checks of op operands. Each throws what `defineOp` completes with op, operands and scope.
 */
import {DTypeError, ShapeError} from '../../errors.ts';
import type {DType} from '../../runtime/dtype.ts';
import {formatType, type Layout, type TensorType} from '../tensor.ts';

export function fail(expected: string): never {
  throw new ShapeError(`expected ${expected}`);
}

export function expectRank(role: string, type: TensorType, rank: number): void {
  if (type.shape.length !== rank) fail(`${role} of rank ${rank}, got ${formatType(type)}`);
}

export function expectShape(role: string, type: TensorType | undefined, shape: readonly number[]): void {
  if (type !== undefined && !sameShape(type.shape, shape)) {
    fail(`${role} [${shape.join(', ')}], got ${formatType(type)}`);
  }
}

export function expectDType(role: string, type: TensorType | undefined, ...dtypes: readonly DType[]): void {
  if (type !== undefined && !dtypes.includes(type.dtype)) {
    throw new DTypeError(`expected ${role} of ${dtypes.join(' or ')}, got ${formatType(type)}`);
  }
}

/** Activations: any float, with float32 arithmetic. Which of them a device has kernels for, it says when it compiles. */
export function expectCompute(role: string, type: TensorType): void {
  expectFloat(role, type);
}

/** Any float that weights are stored in. */
export function expectFloat(role: string, type: TensorType): void {
  expectDType(role, type, 'float32', 'float16', 'bfloat16');
}

export function expectLayout(role: string, type: TensorType, layout: Layout): void {
  if ((type.layout ?? 'dense') !== layout) fail(`${role} in layout ${layout}, got ${formatType(type)}`);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}
