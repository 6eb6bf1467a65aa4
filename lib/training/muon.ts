/**
 * Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): the mean gradient of a matrix, turned
 * into the nearest half-orthogonal one, so that all its directions move alike. Names and defaults of PyTorch's
 * `torch.optim.Muon`, with the step length of `match_rms_adamw` (Liu et al. 2025, "Muon is scalable for LLM training", §2.2),
 * so that learning rates are those of AdamW.
 */
import {
  affine,
  binary,
  cast,
  concat,
  linear,
  packLinear,
  reduceSum,
  reshape,
  slice,
  transpose,
  unary,
} from '../graph/ops/index.ts';
import {sizeOf, type Tensor} from '../graph/tensor.ts';

export interface MuonSettings {
  /** Share of the mean gradient that a step leaves. */
  readonly momentum: number;
  readonly weightDecay: number;
}

/** Of the iteration x ← a·x + (b·xxᵀ + c·(xxᵀ)²)·x that brings all singular values near 1 (Jordan et al.). */
const coefficients = [3.4445, -4.775, 2.0315] as const;
const iterations = 5;

/** First and last layers, and tables of embeddings, are left to AdamW. */
const outerLayers = /(^|\.)(conv_in|conv_out|latents|[a-z]+_embedding)(\.weight)?$/;

/** Whether Muon is for this weight: a matrix, or kernels of a convolution, within the network. */
export function isHiddenMatrix(name: string, shape: readonly number[]): boolean {
  return shape.length >= 2 && !outerLayers.test(name);
}

/**
 * To be traced: a step of one weight. Kernels [O, I, ...] are matrices [O, I·…].
 *
 * @param state float32 [3, ...]: the weight, the mean of its gradients, and one more part that is left alone
 * @param gradient float32 [...]
 * @param step as AdamW's: the learning rate first, a factor for the gradient last
 */
export function muonStep(
  {state, gradient, step}: Readonly<Record<'state' | 'gradient' | 'step', Tensor>>,
  {momentum, weightDecay}: MuonSettings,
): Tensor {
  const shape = state.shape.slice(1);
  const matrix = [shape[0]!, sizeOf(shape) / shape[0]!] as const;
  const part = (index: number) =>
    reshape({x: slice({x: state}, {axis: 0, start: index, length: 1})}, {shape: matrix});
  const number = (index: number) =>
    reshape({x: slice({x: step}, {axis: 0, start: index, length: 1})}, {shape: [1, 1]});
  const [weight, before] = [part(0), part(1)];
  const scaled = times(reshape({x: gradient}, {shape: matrix}), number(3));
  const mean = sum(scale(before, momentum), scale(scaled, 1 - momentum));
  const ahead = sum(scale(mean, momentum), scale(scaled, 1 - momentum));
  const length = 0.2 * Math.sqrt(Math.max(...matrix));
  const direction = sum(scale(weight, weightDecay), scale(orthogonalized(ahead), length));
  const moved = binary({a: weight, b: times(direction, number(0))}, {kind: 'subtract'});
  const parts = [moved, mean, part(2)].map(x => reshape({x}, {shape: [1, ...shape]}));
  return concat({parts}, {axis: 0});
}

/** The nearest half-orthogonal matrix, about: products in bfloat16, as in PyTorch. float32 [r, c] → float32 [r, c]. */
function orthogonalized(x: Tensor): Tensor {
  const [rows, columns] = x.shape as [number, number];
  if (rows > columns) return turned(orthogonalized(turned(x)));
  const squaredNorm = reduceSum({x: times(x, x)}, {shape: [1, 1], dtype: 'float32'});
  // So small beside any gradient's norm that it matters to gradients of 0 alone.
  const inverse = unary({x: affine({x: squaredNorm}, {scale: 1, offset: 1e-30})}, {kind: 'rsqrt'});
  const [a, b, c] = coefficients;
  let result = cast({x: times(x, inverse)}, {dtype: 'bfloat16'});
  for (let i = 0; i < iterations; i++) {
    const square = product(result, result, false);
    const polynomial = product(scale(square, c), square, false, scale(square, b));
    result = product(polynomial, result, true, scale(result, a));
  }
  return cast({x: result}, {dtype: 'float32'});
}

/** x·yᵀ, or with `transposed` x·y, and what is added before the sum is rounded. */
function product(x: Tensor, y: Tensor, transposed: boolean, residual?: Tensor): Tensor {
  const weight = packLinear({weight: y}, {dtype: x.dtype, glu: false, transposed});
  return linear({x, weight, residual}, {activation: 'none'});
}

const turned = (x: Tensor) => transpose({x}, {permutation: [1, 0]});
const sum = (a: Tensor, b: Tensor) => binary({a, b}, {kind: 'add'});
const times = (a: Tensor, b: Tensor) => binary({a, b}, {kind: 'multiply'});
const scale = (x: Tensor, factor: number) => affine({x}, {scale: factor, offset: 0});
