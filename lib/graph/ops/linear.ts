/**
 * Matrix products and convolutions, with the packing of their weights.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp} from '../op.ts';
import {convAlgorithms, sizeOf, type Tensor} from '../tensor.ts';
import {
  expectCompute,
  expectDType,
  expectFloat,
  expectLayout,
  expectRank,
  expectShape,
  fail,
} from './check.ts';

/** Linear weights [N, K] in the kernel's layout; with `glu`, rows n and n + N/2 become neighbours. */
export const packLinear = defineOp({
  name: 'pack_linear',
  inputs: ['weight'],
  attributes: {dtype: dtypes, glu: 'bool'},
  infer: ({weight}, {dtype, glu}) => {
    expectRank('weight', weight, 2);
    expectFloat('weight', weight);
    if (glu && weight.dim(0) % 2 !== 0) fail('an even number of rows');
    return {shape: weight.shape, dtype, layout: glu ? 'packed-linear-glu' : 'packed-linear'};
  },
  cost: () => ({flops: 0}),
});

/**
 * activation(x·Wᵀ + bias) + residual: x [..., K], weight packed [N, K] of x's dtype, bias float32 [N],
 * residual as the result, which is [..., N] (geglu: [..., N/2]).
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
    expectDType('residual', residual, x.dtype);
    return {shape, dtype: x.dtype};
  },
  cost: ({x, weight}) => ({flops: 2 * (x.size / x.dim(-1)) * weight.size}),
});

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
});

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
