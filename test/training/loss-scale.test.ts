import test from 'ava';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {LossScale} from '../../lib/training/loss-scale.ts';
import {tinyTrainingStep} from '../_helpers/tiny-training-step.ts';

test('an overflow halves it, 2000 steps without one double it, up to 2^24', t => {
  const scale = new LossScale();
  t.deepEqual(scale.state, {value: 2 ** 16, steps: 0});
  scale.update(true);
  scale.update(false);
  t.deepEqual(scale.state, {value: 2 ** 15, steps: 0});
  const resumed = new LossScale({value: 2 ** 15, steps: 1998});
  resumed.update(true);
  t.deepEqual(resumed.state, {value: 2 ** 15, steps: 1999});
  resumed.update(true);
  t.deepEqual(resumed.state, {value: 2 ** 16, steps: 0});
  for (let step = 0; step < 10_000; step++) resumed.update(true);
  t.is(resumed.state.value, 2 ** 21);
  for (let step = 0; step < 20_000; step++) resumed.update(true);
  t.is(resumed.state.value, 2 ** 24);
});

test('gradients of a scaled loss are its multiples, the loss stays', async t => {
  const {engine, weights, compiled, batch} = await tinyTrainingStep('plus');
  const {state} = AdamW.begin(engine, weights);
  const lossScale = DeviceTensor.from(openDevice('cpu'), Float32Array.of(1024), [1]);
  const plain = await compiled.run({state, batch});
  const scaled = await compiled.run({state, batch, lossScale});
  t.deepEqual(await scaled.loss.toFloat32Array(), await plain.loss.toFloat32Array());
  for (const [name, gradient] of Object.entries(plain.gradients)) {
    const expected = (await gradient.toFloat32Array()).map(x => 1024 * x);
    t.deepEqual(await scaled.gradients[name]!.toFloat32Array(), expected, name);
  }
});
