import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {resizeBicubic, resizeBilinear} from '../../lib/images/resize-plane.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const plane = Float32Array.of(0, 1, 0, 2, 3, -1, 4, 0, 1, 1, 5, -2);
const from = {width: 4, height: 3};

// What torch.nn.functional.interpolate(mode='bicubic') of PyTorch 2.13 gives.
const expected = {
  smaller: {
    width: 3,
    height: 2,
    values: [
      [0.703907, 0.578247, 1.516959],
      [1.326262, 3.206177, -0.602793],
    ],
  },
  larger: {
    width: 5,
    height: 4,
    values: [
      [-0.297884, 0.922156, 0.327744, 0.233315, 2.291218],
      [2.298912, -0.088096, 0.868973, 2.352904, 0.8488],
      [2.797693, -0.216111, 2.397171, 3.782475, -1.289149],
      [0.839004, 0.630366, 3.81102, 3.491787, -2.581886],
    ],
  },
};
for (const [name, {values, ...to}] of Object.entries(expected)) {
  test(`a ${name} plane is PyTorch's`, t => {
    t.true(relativeError(resizeBicubic(plane, from, to), Float32Array.from(values.flat())) < 1e-6);
  });
}

const sides = fc.integer({min: 1, max: 9});
for (const resize of [resizeBicubic, resizeBilinear]) {
  testProp(
    `${resize.name}: an even plane stays even, and a plane of the same size as it is`,
    [sides, sides, sides, sides],
    (t, a, b, c, d) => {
      const even = resize(new Float32Array(a * b).fill(0.3), {width: a, height: b}, {width: c, height: d});
      t.true(even.every(value => Math.abs(value - 0.3) < 1e-6));
      const numbers = Float32Array.from({length: a * b}, (_, i) => (i * 7) % 11);
      t.deepEqual(resize(numbers, {width: a, height: b}, {width: a, height: b}), numbers);
    },
  );
}

test('a bilinear plane is linear between centres, and level beyond them', t => {
  const row = resizeBilinear(Float32Array.of(0, 4), {width: 2, height: 1}, {width: 8, height: 2});
  t.deepEqual([...row], [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4, 0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]);
});
