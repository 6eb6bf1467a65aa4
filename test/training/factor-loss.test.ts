import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {gradients} from '../../lib/graph/gradients.ts';
import {factorLoss} from '../../lib/training/factor-loss.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {runModel} from '../_helpers/run-model.ts';

interface Case {
  readonly sizes: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly targets: readonly (readonly number[])[];
}

/** The loss, and its gradient with respect to the logits, by ops. */
async function measured({sizes, logits, targets}: Case): Promise<[loss: number, gradient: Float32Array]> {
  const tensor = (rows: readonly (readonly number[])[]) => ({
    shape: [rows.length, rows[0]!.length],
    data: Float32Array.from(rows.flat()),
  });
  const [loss, gradient] = await runModel(
    ({logits, targets}) => {
      const loss = factorLoss(logits, targets, sizes);
      return [loss, ...gradients(loss, [logits])];
    },
    {logits: tensor(logits), targets: tensor(targets)},
  );
  return [loss![0]!, gradient!];
}

/** The same in float64: a group's gradient is that of softmax and cross-entropy, (weight · softmax - target) / B. */
function expected({sizes, logits, targets}: Case): [loss: number, gradient: number[]] {
  const batch = logits.length;
  let loss = 0;
  const gradient = logits.flatMap((row, sample) => {
    let start = 0;
    return sizes.flatMap(size => {
      const x = row.slice(start, start + size);
      const target = targets[sample]!.slice(start, start + size);
      start += size;
      const largest = Math.max(...x);
      const logSumExp = largest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - largest), 0));
      const weight = target.reduce((a, b) => a + b, 0);
      loss += x.reduce((sum, value, i) => sum + target[i]! * (logSumExp - value), 0) / batch;
      return x.map((value, i) => (weight * Math.exp(value - logSumExp) - target[i]!) / batch);
    });
  });
  return [loss, gradient];
}

const cases = (largest: number) =>
  fc
    .tuple(
      fc.array(fc.integer({min: 1, max: 20}), {minLength: 1, maxLength: 4}),
      fc.integer({min: 1, max: 3}),
    )
    .chain(([sizes, batch]) => {
      const count = sizes.reduce((a, b) => a + b);
      const float = fc.float({min: -largest, max: largest, noNaN: true});
      const rows = (of: fc.Arbitrary<number[]>) => fc.array(of, {minLength: batch, maxLength: batch});
      /** One class of a group, or none. */
      const group = (size: number) =>
        fc
          .integer({min: -1, max: size - 1})
          .map(chosen => Array.from({length: size}, (_, i) => Number(i === chosen)));
      return fc.record({
        sizes: fc.constant(sizes),
        logits: rows(fc.array(float, {minLength: count, maxLength: count})),
        targets: rows(fc.tuple(...sizes.map(group)).map(groups => groups.flat())),
      });
    });

testProp(
  'is the sum of cross-entropies, and so is its gradient, for logits of any size',
  [fc.constantFrom(1, 30, 1000).chain(cases)],
  async (t, given) => {
    const [loss, gradient] = await measured(given);
    const [loss64, gradient64] = expected(given);
    // float32 rounds a logit in proportion to itself, which is what exponentials are then off by.
    const tolerance = 1e-6 * Math.max(...given.logits.flat().map(Math.abs), 10);
    t.true(Math.abs(loss - loss64) < tolerance * given.sizes.length);
    const worst = Math.max(...gradient64.map((value, i) => Math.abs(value - gradient[i]!)));
    t.true(worst < tolerance / given.logits.length, `${worst}`);
  },
  {numRuns: 40},
);

test('groups that do not count have neither loss nor gradient; targets may be shared and weighted', async t => {
  const shared: Case = {
    sizes: [2, 3],
    logits: [[0.5, -1, 2, 0.25, -3]],
    targets: [[0, 0, 0.5, 1, 0.5]],
  };
  const [loss, gradient] = await measured(shared);
  const [loss64, gradient64] = expected(shared);
  t.true(Math.abs(loss - loss64) < 1e-5);
  t.true(relativeError(gradient, gradient64) < 1e-5);
  t.deepEqual([...gradient.slice(0, 2)], [0, 0]);
});
