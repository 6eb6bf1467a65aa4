/**
 * The objective of the factor reader: several classifications of one picture at once.
 */
import {affine, binary, reduceSum, slice, unary} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';

/**
 * The mean over a batch of the sum over groups of cross-entropies: float32 [1, 1]. Finite for logits of magnitudes up to
 * 1000, and groups of up to 200 classes.
 *
 * @param logits float32 [B, K], group by group
 * @param targets float32 [B, K]: in each group the probability of each class, times the group's weight; all 0 where the
 *   group does not count
 * @param groupSizes numbers of classes, K together
 */
export function factorLoss(logits: Tensor, targets: Tensor, groupSizes: readonly number[]): Tensor {
  let start = 0;
  const parts = groupSizes.map(length => {
    const [x, target] = [logits, targets].map(of => slice({x: of}, {axis: 1, start, length}));
    start += length;
    return crossEntropies(x!, target!);
  });
  const total = parts.reduce((a, b) => binary({a, b}, {kind: 'add'}));
  return affine({x: total}, {scale: 1 / logits.dim(0), offset: 0});
}

/** Σ target · (ln Σ exp(logits) - logits), the inner sum over a row's classes. */
function crossEntropies(logits: Tensor, target: Tensor): Tensor {
  const surprise = subtract(logSumExp(logits), logits);
  return reduceSum(
    {x: binary({a: target, b: surprise}, {kind: 'multiply'})},
    {shape: [1, 1], dtype: 'float32'},
  );
}

/** t of {@link logSumExp}: the larger it is, the larger x may be, and the smaller is n, by exp(-t · ln n) > 2^-126. */
const temperature = 16;

/**
 * ln Σ exp(x) over each row of x [B, n]: float32 [B, 1]. What is subtracted before exponentials are taken is no maximum,
 * for which there is no op, but a smooth bound of it: t · ln Σ exp(x / t) is above it by no more than t · ln n.
 */
function logSumExp(x: Tensor): Tensor {
  const bound = scaled(logOfSum(scaled(x, 1 / temperature)), temperature);
  return binary({a: bound, b: logOfSum(subtract(x, bound))}, {kind: 'add'});
}

function logOfSum(x: Tensor): Tensor {
  const sums = reduceSum({x: unary({x}, {kind: 'exp'})}, {shape: [x.dim(0), 1], dtype: 'float32'});
  return unary({x: sums}, {kind: 'log'});
}

function scaled(x: Tensor, scale: number): Tensor {
  return affine({x}, {scale, offset: 0});
}

function subtract(a: Tensor, b: Tensor): Tensor {
  return binary({a, b}, {kind: 'subtract'});
}
