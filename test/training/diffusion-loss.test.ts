import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {diffusionLoss, diffusionTarget, minSnrWeight} from '../../lib/training/diffusion-loss.ts';
import {runModel} from '../_helpers/run-model.ts';

const sample = Float32Array.of(1, -2, 3);
const noise = Float32Array.of(0.5, 0.25, -1);

test('the noisy sample and its targets, at ᾱ = 0.36', t => {
  const epsilon = diffusionTarget(sample, noise, 0.36, 'epsilon');
  const expected = [0.6 + 0.4, -1.2 + 0.2, 1.8 - 0.8];
  for (const [i, value] of expected.entries()) t.true(Math.abs(epsilon.noisy[i]! - value) < 1e-6);
  t.deepEqual(epsilon.target, noise);
  const velocity = diffusionTarget(sample, noise, 0.36, 'v_prediction');
  t.deepEqual(velocity.noisy, epsilon.noisy);
  const targets = [0.3 - 0.8, 0.15 + 1.6, -0.6 - 2.4];
  for (const [i, value] of targets.entries()) t.true(Math.abs(velocity.target[i]! - value) < 1e-6);
});

test('refuses noise of another size', t => {
  t.throws(() => diffusionTarget(sample, noise.subarray(1), 0.5, 'epsilon'), {instanceOf: ArgumentError});
});

test('min-SNR weighs what is nearly clean down to γ, and leaves the noisy alone', t => {
  // SNR 9 and 1/3.
  t.is(minSnrWeight(0.9, 5, 'epsilon').toFixed(6), (5 / 9).toFixed(6));
  t.is(minSnrWeight(0.25, 5, 'epsilon'), 1);
  t.is(minSnrWeight(0.9, 5, 'v_prediction').toFixed(6), (5 / 10).toFixed(6));
});

test('the loss is the weighted mean of the samples’ mean squared errors', async t => {
  const shape = [2, 1, 2, 2];
  const [loss, errors] = await runModel(
    ({prediction, target, weights}) => {
      const result = diffusionLoss(prediction, target, weights);
      return [result.loss, result.errors];
    },
    {
      prediction: {shape, data: Float32Array.of(1, 2, 3, 4, 0, 0, 0, 0)},
      target: {shape, data: Float32Array.of(1, 2, 3, 0, 2, 2, 2, 2)},
      weights: {shape: [2, 1, 1, 1], data: Float32Array.of(1, 0.5)},
    },
  );
  t.deepEqual([...errors!], [4, 4]);
  t.is(loss![0], (4 + 0.5 * 4) / 2);
});
