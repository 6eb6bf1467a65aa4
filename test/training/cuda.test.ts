/**
 * A training step on a CUDA device, emulated or real, beside the processor's.
 */
import test from 'ava';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import {type Device, openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {anyCuda} from '../_helpers/emulated-cuda.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {tinyTrainingStep} from '../_helpers/tiny-training-step.ts';

Object.assign(process.env, anyCuda);

/** Loss, norm and gradients of a step, and the optimiser's state after it. */
async function step(device: Device, dtype: ComputeDType) {
  const {engine, weights, compiled, batch} = await tinyTrainingStep('instruct', device, dtype);
  // With a large epsilon a first step is the gradient times the rate: noise of small gradients stays small.
  const adamw = AdamW.begin(engine, weights, {epsilon: 1});
  const {loss, gradients, squaredNorm} = await compiled.run({state: adamw.state, batch});
  const results = new Map([
    ['loss', await loss.toFloat32Array()],
    ['squared norm', await squaredNorm.toFloat32Array()],
  ]);
  for (const [name, gradient] of Object.entries(gradients))
    results.set(name, await gradient.toFloat32Array());
  await adamw.step(gradients, {learningRate: 1e-3});
  for (const [name, {data}] of await adamw.saved()) results.set(`state of ${name}`, data);
  adamw.dispose();
  return results;
}

test("losses, gradients and moments are the processor's", async t => {
  const expected = await step(openDevice('cpu'), 'float32');
  const actual = await step(openDevice('cuda'), 'float32');
  t.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, values] of expected) {
    const error = relativeError(actual.get(name)!, values);
    t.true(error < 1e-4, `${name}: ${error}`);
  }
});

test('in float16 the gradients of a scaled loss are near those of float32', async t => {
  const factor = 2 ** 16;
  const gradientsOn = async (device: Device, dtype: ComputeDType, lossScale?: DeviceTensor) => {
    const {engine, weights, compiled, batch} = await tinyTrainingStep('plus', device, dtype);
    const {state} = AdamW.begin(engine, weights);
    const {gradients} = await compiled.run({state, batch, lossScale});
    const read = new Map<string, Float32Array>();
    for (const [name, gradient] of Object.entries(gradients)) read.set(name, await gradient.toFloat32Array());
    return read;
  };
  const cuda = openDevice('cuda');
  const lossScale = DeviceTensor.from(cuda, Float32Array.of(factor), [1]);
  const expected = await gradientsOn(openDevice('cpu'), 'float32');
  for (const [name, actual] of await gradientsOn(cuda, 'float16', lossScale)) {
    const error = relativeError(
      actual.map(x => x / factor),
      expected.get(name)!,
    );
    t.true(error < 2e-2, `${name}: ${error}`);
  }
});
