import test from 'ava';
import {combineImages} from '../../lib/pipelines/combine-images.ts';

const features = {shape: [3, 1, 2], data: Float32Array.of(3, 0, 4, 0, 0, 6)};

test('features of images are combined one by one', t => {
  const expected = {
    add: [7, 6],
    subtract: [1, -3],
    average: [7 / 3, 2],
    'norm-average': [7 / 3 / 5, 2 / 6],
  } as const;
  for (const [combination, values] of Object.entries(expected)) {
    const {shape, data} = combineImages(features, combination as keyof typeof expected);
    t.deepEqual(shape, [1, 1, 2]);
    t.deepEqual([...data], [...Float32Array.from(values)], combination);
  }
});

test('a single image is its sum, its mean, and itself less nothing; nothing has no length to divide by', t => {
  const one = {shape: [1, 2], data: Float32Array.of(5, 0)};
  for (const combination of ['add', 'subtract', 'average'] as const) {
    t.deepEqual([...combineImages(one, combination).data], [5, 0]);
  }
  t.deepEqual([...combineImages(one, 'norm-average').data], [1, 0]);
});
