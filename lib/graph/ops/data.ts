/**
 * Ops that move, select or convert data without arithmetic.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp} from '../op.ts';
import {sizeOf} from '../tensor.ts';
import {expectCompute, expectDType, expectFloat, expectRank, fail, sameShape} from './check.ts';

const noArithmetic = () => ({flops: 0});

/** Converts between float types (round to nearest even), or int32 to a float. */
export const cast = defineOp({
  name: 'cast',
  inputs: ['x'],
  attributes: {dtype: dtypes},
  infer: ({x}, {dtype}) => {
    expectDType('x', x, 'float32', 'float16', 'bfloat16', 'int32');
    return {shape: x.shape, dtype};
  },
  cost: noArithmetic,
});

/** The same elements under another shape of equal size; costs nothing. */
export const reshape = defineOp({
  name: 'reshape',
  inputs: ['x'],
  attributes: {shape: 'i32[]'},
  infer: ({x}, {shape}) => {
    if (sizeOf(shape) !== x.size) fail(`a shape of ${x.size} elements, got [${shape.join(', ')}]`);
    return {shape, dtype: x.dtype};
  },
  cost: () => ({flops: 0, bytes: 0}),
});

/** Axis i of the result is axis `permutation[i]` of x. */
export const transpose = defineOp({
  name: 'transpose',
  inputs: ['x'],
  attributes: {permutation: 'i32[]'},
  infer: ({x}, {permutation}) => {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (!sameShape(sorted, [...x.shape.keys()])) {
      fail(`a permutation of ${x.rank} axes, got [${permutation.join(', ')}]`);
    }
    return {shape: permutation.map(axis => x.dim(axis)), dtype: x.dtype};
  },
  cost: noArithmetic,
});

/** Joins tensors that differ in one axis only. */
export const concat = defineOp({
  name: 'concat',
  inputs: ['parts...'],
  attributes: {axis: 'u32'},
  infer: ({parts}, {axis}) => {
    const first = parts[0];
    if (first === undefined || axis >= first.rank) fail(`parts with an axis ${axis}`);
    const others = (shape: readonly number[]) => shape.filter((_, index) => index !== axis);
    for (const part of parts) {
      expectDType('parts', part, first.dtype);
      if (!sameShape(others(part.shape), others(first.shape))) fail(`parts equal but for axis ${axis}`);
    }
    const extent = parts.reduce((sum, part) => sum + part.dim(axis), 0);
    return {shape: first.shape.with(axis, extent), dtype: first.dtype};
  },
  cost: noArithmetic,
});

/** Elements `start … start + length` of one axis. */
export const slice = defineOp({
  name: 'slice',
  inputs: ['x'],
  attributes: {axis: 'u32', start: 'u32', length: 'u32'},
  infer: ({x}, {axis, start, length}) => {
    if (axis >= x.rank || length < 1 || start + length > x.dim(axis)) {
      fail(`a part of axis ${axis}, got [${start}, ${start + length})`);
    }
    return {shape: x.shape.with(axis, length), dtype: x.dtype};
  },
  cost: (_inputs, _attributes, output) => ({flops: 0, bytes: 4 * sizeOf(output.shape)}),
});

/** Repeats axes of extent 1 to the given shape of equal rank. */
export const broadcastTo = defineOp({
  name: 'broadcast_to',
  inputs: ['x'],
  attributes: {shape: 'i32[]'},
  infer: ({x}, {shape}) => {
    const fits = x.rank === shape.length && x.shape.every((n, axis) => n === 1 || n === shape[axis]);
    if (!fits) fail(`extents of 1 or those of [${shape.join(', ')}]`);
    return {shape, dtype: x.dtype};
  },
  cost: noArithmetic,
});

/** One token per sample: x [B, N, C], index int32 [B] → [B, C]. */
export const gatherTokens = defineOp({
  name: 'gather_tokens',
  inputs: ['x', 'index'],
  attributes: {},
  infer: ({x, index}) => {
    expectRank('x', x, 3);
    expectCompute('x', x);
    expectDType('index', index, 'int32');
    if (!sameShape(index.shape, [x.dim(0)])) fail(`index [${x.dim(0)}]`);
    return {shape: [x.dim(0), x.dim(2)], dtype: x.dtype};
  },
  cost: (_inputs, _attributes, output) => ({flops: 0, bytes: 8 * sizeOf(output.shape)}),
});

/** Rows of a table: table [V, C], ids int32 [...] → [..., C]. A row outside of the table is NaN. */
export const embedding = defineOp({
  name: 'embedding',
  inputs: ['table', 'ids'],
  attributes: {dtype: dtypes},
  infer: ({table, ids}, {dtype}) => {
    expectRank('table', table, 2);
    expectFloat('table', table);
    expectDType('ids', ids, 'int32');
    return {shape: [...ids.shape, table.dim(1)], dtype};
  },
  cost: (_inputs, _attributes, output) => ({flops: 0, bytes: 8 * sizeOf(output.shape)}),
});

/** Nearest-neighbour resize of x [B, H, W, C]: source row = floor(i · H / height). */
export const upsampleNearest = defineOp({
  name: 'upsample_nearest',
  inputs: ['x'],
  attributes: {height: 'u32', width: 'u32'},
  infer: ({x}, {height, width}) => {
    expectRank('x', x, 4);
    expectCompute('x', x);
    return {shape: [x.dim(0), height, width, x.dim(3)], dtype: x.dtype};
  },
  cost: noArithmetic,
});
