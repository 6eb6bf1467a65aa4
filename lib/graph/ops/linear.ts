/**
 * Matrix products and convolutions, with the packing of their weights.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp} from '../op.ts';
import {convAlgorithms, type Op, type OpNode, sizeOf, type Tensor} from '../tensor.ts';
import {
  expectCompute,
  expectDType,
  expectFloat,
  expectLayout,
  expectRank,
  expectShape,
  fail,
} from './check.ts';
import {cast, channelSums, concat, everyNth, pad, reduceSum, reshape, slice, transpose} from './data.ts';

/**
 * Linear weights [N, K], or with `transposed` [K, N], in the kernel's layout [N, K]; with `glu`, rows n and n + N/2
 * become neighbours.
 */
export const packLinear = defineOp({
  name: 'pack_linear',
  inputs: ['weight'],
  attributes: {dtype: dtypes, glu: 'bool', transposed: 'bool'},
  infer: ({weight}, {dtype, glu, transposed}) => {
    expectRank('weight', weight, 2);
    expectFloat('weight', weight);
    const shape = transposed ? weight.shape.toReversed() : weight.shape;
    if (glu && shape[0]! % 2 !== 0) fail('an even number of rows');
    return {shape, dtype, layout: glu ? 'packed-linear-glu' : 'packed-linear'};
  },
  cost: () => ({flops: 0}),
  vjp: ({inputs: {weight}, attributes, gradient}) => ({
    weight: (): Tensor =>
      cast({x: attributes.transposed ? transposed(gradient) : gradient}, {dtype: weight.dtype}),
  }),
});

/**
 * activation(x·Wᵀ + bias) + residual: x [..., K], weight packed [N, K] of x's dtype, bias float32 [N],
 * residual as the result, which is [..., N] (geglu: [..., N/2]), of x's dtype, or with a float32 residual float32.
 */
export const linear = defineOp({
  name: 'linear',
  inputs: ['x', 'weight', 'bias?', 'residual?'],
  attributes: {activation: ['none', 'silu', 'gelu', 'quick_gelu', 'geglu']},
  infer: ({x, weight, bias, residual}, {activation}) => {
    expectCompute('x', x);
    expectLayout('weight', weight, activation === 'geglu' ? 'packed-linear-glu' : 'packed-linear');
    expectDType('weight', weight, x.dtype);
    if (x.dim(-1) !== weight.dim(1)) fail(`x of ${weight.dim(1)} features, got ${x.dim(-1)}`);
    const rows = weight.dim(0);
    expectShape('bias', bias, [rows]);
    expectDType('bias', bias, 'float32');
    const shape = x.shape.with(-1, activation === 'geglu' ? rows / 2 : rows);
    expectShape('residual', residual, shape);
    expectDType('residual', residual, x.dtype, 'float32');
    return {shape, dtype: residual?.dtype ?? x.dtype};
  },
  cost: ({x, weight}) => ({flops: 2 * (x.size / x.dim(-1)) * weight.size}),
  vjp: ({inputs: {x, weight}, attributes: {activation}, gradient}) => {
    if (activation !== 'none' || gradient.dtype !== x.dtype) {
      fail('a graph that is not fused yet, for the gradient');
    }
    return {
      x: (): Tensor => {
        const {inputs, attributes} = packingOf(weight, packLinear);
        return product(gradient, inputs[0]!, !attributes['transposed']);
      },
      weight: (): Tensor => product(transposed(rowsOf(gradient)), rowsOf(x), true),
      bias: (): Tensor => channelSums(gradient),
      residual: (): Tensor => gradient,
    };
  },
});

/** x·Wᵀ, or with `transposed` x·W, of a weight that is not packed yet. */
function product(x: Tensor, weight: Tensor, transposed: boolean): Tensor {
  const packed = packLinear({weight}, {dtype: x.dtype, glu: false, transposed});
  return linear({x, weight: packed}, {activation: 'none'});
}

/** The node that packed a weight. */
function packingOf(packed: Tensor, pack: Op): OpNode {
  const {node} = packed;
  if (node.kind !== 'op' || node.op !== pack)
    fail('a weight that is packed in the same graph, for the gradient');
  return node;
}

/** [..., C] as [rows, C]. */
function rowsOf(x: Tensor): Tensor {
  return reshape({x}, {shape: [x.size / x.dim(-1), x.dim(-1)]});
}

function transposed(x: Tensor): Tensor {
  return transpose({x}, {permutation: [1, 0]});
}

/** Convolution weights [O, I, kh, kw] in the kernel's layout; Winograd's algorithm takes kernels of 3x3. */
export const packConv2d = defineOp({
  name: 'pack_conv2d',
  inputs: ['weight'],
  attributes: {dtype: dtypes, algorithm: convAlgorithms},
  infer: ({weight}, {dtype, algorithm}) => {
    expectRank('weight', weight, 4);
    expectFloat('weight', weight);
    if (algorithm !== 'direct') expectShape('weight', weight, [weight.dim(0), weight.dim(1), 3, 3]);
    return {shape: weight.shape, dtype, layout: `packed-conv2d-${algorithm}`};
  },
  cost: () => ({flops: 0}),
  vjp: ({inputs: {weight}, gradient}) => ({weight: (): Tensor => cast({x: gradient}, {dtype: weight.dtype})}),
});

/**
 * activation(conv(x) + bias + sample_bias) + residual, channels last: x [B, H, W, I] → [B, Ho, Wo, O].
 * `padding` is top, left, bottom, right. Where `upsample_height` and `upsample_width` are not 0, x is read as if
 * resized to them first (nearest). bias float32 [O]; sample_bias float32 [B or 1, O].
 */
export const conv2d = defineOp({
  name: 'conv2d',
  inputs: ['x', 'weight', 'bias?', 'sample_bias?', 'residual?'],
  attributes: {
    stride: 'u32',
    padding: 'i32[]',
    upsample_height: 'u32',
    upsample_width: 'u32',
    activation: ['none', 'silu'],
    algorithm: convAlgorithms,
  },
  infer: ({x, weight, bias, sample_bias, residual}, attributes) => {
    expectRank('x', x, 4);
    expectCompute('x', x);
    expectLayout('weight', weight, `packed-conv2d-${attributes.algorithm}`);
    expectDType('weight', weight, x.dtype);
    const [out, input, kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
    if (
      attributes.algorithm !== 'direct' &&
      (kernelHeight !== 3 || kernelWidth !== 3 || attributes.stride !== 1)
    ) {
      fail(`a kernel of 3x3 at stride 1 for ${attributes.algorithm}`);
    }
    if (x.dim(3) !== input)
      fail(`x of ${input} channels (weight [${weight.shape.join(', ')}]), got ${x.dim(3)}`);
    const [top, left, bottom, right] = attributes.padding as [number, number, number, number];
    const extent = (size: number, kernel: number) => Math.floor((size - kernel) / attributes.stride) + 1;
    const height = extent((attributes.upsample_height || x.dim(1)) + top + bottom, kernelHeight);
    const width = extent((attributes.upsample_width || x.dim(2)) + left + right, kernelWidth);
    if (height < 1 || width < 1) fail(`a picture no smaller than the kernel ${kernelHeight}x${kernelWidth}`);
    const shape = [x.dim(0), height, width, out];
    expectShape('bias', bias, [out]);
    expectDType('bias', bias, 'float32');
    if (sample_bias !== undefined) expectShape('sample_bias', sample_bias, [batchOr1(sample_bias, x), out]);
    expectDType('sample_bias', sample_bias, 'float32');
    expectShape('residual', residual, shape);
    expectDType('residual', residual, x.dtype);
    return {shape, dtype: x.dtype};
  },
  cost: ({weight}, {algorithm}, output) => ({
    flops: (2 * (sizeOf(output.shape) / weight.dim(0)) * weight.size) / savings[algorithm],
  }),
  vjp: ({inputs: {x, weight, sample_bias}, attributes, gradient}) => {
    const {stride, activation, algorithm, upsample_height} = attributes;
    if (activation !== 'none' || algorithm !== 'direct' || upsample_height !== 0) {
      fail('a graph that is not fused yet, for the gradient');
    }
    const padding = attributes.padding as Sides;
    return {
      x: (): Tensor =>
        convInputGradient(x, packingOf(weight, packConv2d).inputs[0]!, stride, padding, gradient),
      weight: (): Tensor => convWeightGradient(x, weight.shape as Extents, stride, padding, gradient),
      bias: (): Tensor => channelSums(gradient),
      sample_bias: (): Tensor => {
        const [samples, channels] = sample_bias!.shape as [number, number];
        const sums = reduceSum({x: gradient}, {shape: [samples, 1, 1, channels], dtype: 'float32'});
        return reshape({x: sums}, {shape: [samples, channels]});
      },
      residual: (): Tensor => gradient,
    };
  },
});

/** Top, left, bottom, right. */
type Sides = readonly [number, number, number, number];
type Extents = readonly [number, number, number, number];

/**
 * Of a convolution with respect to x: the gradient, with zeros between its pixels where the stride is more than 1,
 * convolved with the kernels turned by half, channels in and out exchanged.
 */
function convInputGradient(
  x: Tensor,
  weight: Tensor,
  stride: number,
  padding: Sides,
  gradient: Tensor,
): Tensor {
  const [, , kernelHeight, kernelWidth] = weight.shape as Extents;
  const [top, left] = [kernelHeight - 1 - padding[0], kernelWidth - 1 - padding[1]];
  if (top < 0 || left < 0) fail('padding less than the kernel, for the gradient');
  let spread = gradient;
  for (const axis of [1, 2]) spread = spreadOut(spread, axis, stride);
  // What stands below and to the right of the last window has no part in the output.
  const bottom = x.dim(1) + kernelHeight - 1 - top - spread.dim(1);
  const right = x.dim(2) + kernelWidth - 1 - left - spread.dim(2);
  if (bottom < 0) spread = slice({x: spread}, {axis: 1, start: 0, length: spread.dim(1) + bottom});
  if (right < 0) spread = slice({x: spread}, {axis: 2, start: 0, length: spread.dim(2) + right});
  return conv2d(
    {x: spread, weight: packConv2d({weight: turned(weight)}, {dtype: x.dtype, algorithm: 'direct'})},
    {
      stride: 1,
      padding: [top, left, Math.max(bottom, 0), Math.max(right, 0)],
      upsample_height: 0,
      upsample_width: 0,
      activation: 'none',
      algorithm: 'direct',
    },
  );
}

/** `factor - 1` zeros after each element of an axis. */
function spreadOut(x: Tensor, axis: number, factor: number): Tensor {
  if (factor === 1) return x;
  const apart = reshape({x}, {shape: x.shape.toSpliced(axis + 1, 0, 1)});
  const spread = pad(apart, axis + 1, 0, factor - 1);
  return reshape({x: spread}, {shape: x.shape.with(axis, x.dim(axis) * factor)});
}

/** Kernels [O, I, kh, kw] turned by half, as [I, O, kh, kw]. On the way taps come first: matrices are moved whole. */
function turned(weight: Tensor): Tensor {
  const [outputs, channels, height, width] = weight.shape as Extents;
  const taps = height * width;
  const flat = reshape({x: weight}, {shape: [outputs, channels, taps]});
  const byTap = transpose({x: flat}, {permutation: [2, 0, 1]});
  const parts = Array.from({length: taps}, (_, i) =>
    slice({x: byTap}, {axis: 0, start: taps - 1 - i, length: 1}),
  );
  const x = transpose({x: concat({parts}, {axis: 0})}, {permutation: [2, 1, 0]});
  return reshape({x}, {shape: [channels, outputs, height, width]});
}

/** Of a convolution with respect to its weight [O, I, kh, kw]: for each tap a product over all positions. */
function convWeightGradient(
  x: Tensor,
  [outputs, channels, kernelHeight, kernelWidth]: Extents,
  stride: number,
  [top, left]: Sides,
  gradient: Tensor,
): Tensor {
  const [, height, width] = gradient.shape as Extents;
  // Room for a whole stride behind each tap's last row and column.
  const [rows, columns] = [height * stride + kernelHeight - 1, width * stride + kernelWidth - 1];
  const vertical = fitted(pad(x, 1, top, 0), 1, rows);
  const padded = fitted(pad(vertical, 2, left, 0), 2, columns);
  const ofOutputs = transposed(rowsOf(gradient));
  const taps = Array.from({length: kernelHeight}, (_, y) => {
    const band = everyNth(padded, 1, y, height, stride);
    return Array.from({length: kernelWidth}, (_, x) => {
      const window = everyNth(band, 2, x, width, stride);
      return product(ofOutputs, rowsOf(window), true);
    });
  }).flat();
  const joined = reshape({x: concat({parts: taps}, {axis: 1})}, {shape: [outputs, taps.length, channels]});
  const sums = transpose({x: joined}, {permutation: [0, 2, 1]});
  return reshape({x: sums}, {shape: [outputs, channels, kernelHeight, kernelWidth]});
}

/** Cut or filled up with zeros, at the end of an axis. */
function fitted(x: Tensor, axis: number, extent: number): Tensor {
  if (x.dim(axis) > extent) return slice({x}, {axis, start: 0, length: extent});
  return pad(x, axis, 0, extent - x.dim(axis));
}

/** Multiplications of the direct algorithm over those of this one: 9·m² / (m + 2)² for tiles of m x m. */
const savings = {
  direct: 1,
  winograd_4x4: 144 / 36,
  winograd_4x4_held: 144 / 36,
  winograd_2x2_held: 36 / 16,
  winograd_6x6_held: 324 / 64,
};

function batchOr1(bias: Tensor, x: Tensor): number {
  return bias.dim(0) === 1 ? 1 : x.dim(0);
}
