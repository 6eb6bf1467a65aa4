/**
 * Ops that move, select or convert data without arithmetic.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp, noSecondDerivative} from '../op.ts';
import {sizeOf, type Tensor} from '../tensor.ts';
import {expectCompute, expectDType, expectFloat, expectRank, expectShape, fail, sameShape} from './check.ts';
import {fill} from './source.ts';

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
  vjp: ({inputs: {x}, gradient}) => ({x: (): Tensor => cast({x: gradient}, {dtype: x.dtype})}),
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
  vjp: ({inputs: {x}, gradient}) => ({x: (): Tensor => reshape({x: gradient}, {shape: x.shape})}),
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
  vjp: ({attributes: {permutation}, gradient}) => ({
    x: (): Tensor => {
      const inverse = [...permutation.keys()].map(axis => permutation.indexOf(axis));
      return transpose({x: gradient}, {permutation: inverse});
    },
  }),
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
  vjp: ({inputs: {parts}, attributes: {axis}, gradient}) => ({
    parts: (): Tensor[] => {
      let start = 0;
      return parts.map(part => {
        const length = part.dim(axis);
        start += length;
        return slice({x: gradient}, {axis, start: start - length, length});
      });
    },
  }),
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
  vjp: ({inputs: {x}, attributes: {axis, start, length}, gradient}) => ({
    x: (): Tensor => pad(gradient, axis, start, x.dim(axis) - start - length),
  }),
});

/** Zeros before and after along an axis. */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  const zeros = (extent: number) =>
    extent === 0 ? [] : [fill({}, {shape: x.shape.with(axis, extent), value: 0, dtype: x.dtype})];
  const parts = [...zeros(before), x, ...zeros(after)];
  return parts.length === 1 ? x : concat({parts}, {axis});
}

/** Elements `start`, `start + stride`, ... of an axis, `length` of them; the axis reaches to a whole stride behind the last. */
export function everyNth(x: Tensor, axis: number, start: number, length: number, stride: number): Tensor {
  const part = slice({x}, {axis, start, length: length * stride});
  if (stride === 1) return part;
  const apart = reshape({x: part}, {shape: x.shape.toSpliced(axis, 1, length, stride)});
  const first = slice({x: apart}, {axis: axis + 1, start: 0, length: 1});
  return reshape({x: first}, {shape: x.shape.with(axis, length)});
}

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
  vjp: ({inputs: {x}, gradient}) => ({
    x: (): Tensor => reduceSum({x: gradient}, {shape: x.shape, dtype: x.dtype}),
  }),
});

/** Sums over the axes of which `shape`, of equal rank, has extent 1. */
export const reduceSum = defineOp({
  name: 'reduce_sum',
  inputs: ['x'],
  attributes: {shape: 'i32[]', dtype: dtypes},
  infer: ({x}, {shape, dtype}) => {
    expectCompute('x', x);
    const fits = x.rank === shape.length && shape.every((n, axis) => n === 1 || n === x.dim(axis));
    if (!fits) fail(`extents of x or 1, got [${shape.join(', ')}]`);
    return {shape, dtype};
  },
  cost: ({x}) => ({flops: x.size}),
  vjp: ({inputs: {x}, gradient}) => ({
    x: (): Tensor => broadcastTo({x: cast({x: gradient}, {dtype: x.dtype})}, {shape: x.shape}),
  }),
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
  vjp: ({inputs: {x, index}, gradient}) => ({
    x: (): Tensor => {
      const [samples, tokens, channels] = x.shape as [number, number, number];
      const rows = scatterRows(
        {
          x: reshape({x: gradient}, {shape: [samples, 1, channels]}),
          index: reshape({x: index}, {shape: [samples, 1]}),
        },
        {rows: tokens},
      );
      return cast({x: rows}, {dtype: x.dtype});
    },
  }),
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
  vjp: ({inputs: {table, ids}, gradient}) => ({
    table: (): Tensor => {
      const [rows, channels] = table.shape as [number, number];
      const sums = scatterRows(
        {
          x: reshape({x: gradient}, {shape: [1, ids.size, channels]}),
          index: reshape({x: ids}, {shape: [1, ids.size]}),
        },
        {rows},
      );
      return cast({x: reshape({x: sums}, {shape: table.shape})}, {dtype: table.dtype});
    },
  }),
});

/** Sums over all axes but the last: float32 [C]. */
export function channelSums(x: Tensor): Tensor {
  const channels = x.dim(-1);
  const rows = reshape({x}, {shape: [x.size / channels, channels]});
  return reshape({x: reduceSum({x: rows}, {shape: [1, channels], dtype: 'float32'})}, {shape: [channels]});
}

/** x [B, M, C], index int32 [B, M] → float32 [B, rows, C]: row r is the sum of the rows of x whose index is r. */
export const scatterRows = defineOp({
  name: 'scatter_rows',
  inputs: ['x', 'index'],
  attributes: {rows: 'u32'},
  infer: ({x, index}, {rows}) => {
    expectRank('x', x, 3);
    expectCompute('x', x);
    expectShape('index', index, x.shape.slice(0, 2));
    expectDType('index', index, 'int32');
    return {shape: [x.dim(0), rows, x.dim(2)], dtype: 'float32'};
  },
  cost: ({x}) => ({flops: x.size}),
  vjp: noSecondDerivative,
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
  vjp: ({inputs: {x}, attributes: {height, width}, gradient}) => ({
    x: (): Tensor => {
      const [samples, rows, columns, channels] = x.shape as [number, number, number, number];
      if (height % rows !== 0 || width % columns !== 0) fail('whole factors, for the gradient');
      const shape = [samples, rows, height / rows, columns, width / columns, channels];
      const sums = reduceSum(
        {x: reshape({x: gradient}, {shape})},
        {shape: shape.with(2, 1).with(4, 1), dtype: x.dtype},
      );
      return reshape({x: sums}, {shape: x.shape});
    },
  }),
});
