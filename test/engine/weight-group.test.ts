import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import type {WeightGroup} from '../../lib/engine/weight-group.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {linear} from '../../lib/nn/layers.ts';
import {Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';

const device = openDevice('cpu');
const weights = new Weights(new RandomWeights('m'));
const x = DeviceTensor.from(device, Float32Array.of(1, 2, 3), [1, 3]);
const before = memoryUsage().bufferBytes;

/** A function with one weight matrix of 3 by 1000. */
function product(engine: Engine, group?: WeightGroup) {
  const fn = engine.compile('f', (inputs: {x: Tensor}) => linear(weights.at('a'), inputs.x, 1000), group);
  return async () => {
    const y = await fn.run({x});
    const values = await y.toFloat32Array();
    y.dispose();
    return values;
  };
}

const weightBytes = () => memoryUsage().bufferBytes - before;

test.serial('without a group weights stay', async t => {
  const engine = new Engine(device, {keepWeights: false});
  await product(engine)();
  t.true(weightBytes() >= 12_000);
  await engine.dispose();
  t.is(weightBytes(), 0);
});

test.serial('of a group they are freed after the run, and prepared again with equal bits', async t => {
  const engine = new Engine(device, {keepWeights: false});
  const run = product(engine, engine.weightGroup());
  const first = await run();
  t.is(weightBytes(), 0);
  t.deepEqual(await run(), first);
  t.is(weightBytes(), 0);
});

test.serial('they stay during work, also where it fails, and while another user is left', async t => {
  const engine = new Engine(device, {keepWeights: false});
  const group = engine.weightGroup();
  const run = product(engine, group);
  let finishLonger = () => {};
  const longer = group.during(() => new Promise<void>(resolve => (finishLonger = resolve)));
  const reason = new Error('enough');
  const shorter = group.during(async () => {
    await run();
    t.true(weightBytes() > 0, 'between runs');
    throw reason;
  });
  t.is(await t.throwsAsync(shorter), reason);
  t.true(weightBytes() > 0, 'the longer one goes on');
  finishLonger();
  await longer;
  t.is(weightBytes(), 0);
});

test.serial('what two groups read is there until both are past it', async t => {
  const engine = new Engine(device, {keepWeights: false});
  const [one, other] = [engine.weightGroup(), engine.weightGroup()];
  await one.during(async () => {
    await product(engine, one)();
    const bytes = weightBytes();
    await product(engine, other)();
    t.is(weightBytes(), bytes);
  });
  t.is(weightBytes(), 0);
});

test.serial('runs at the same time do not lose their weights to each other', async t => {
  const engine = new Engine(device, {keepWeights: false});
  const run = product(engine, engine.weightGroup());
  const expected = await run();
  const all = await Promise.all(Array.from({length: 20}, run));
  for (const values of all) t.deepEqual(values, expected);
  t.is(weightBytes(), 0);
});

test.serial('an engine that keeps weights frees them when it is disposed', async t => {
  const engine = new Engine(device);
  await product(engine, engine.weightGroup())();
  t.true(weightBytes() > 0);
  await engine.dispose();
  t.is(weightBytes(), 0);
});
