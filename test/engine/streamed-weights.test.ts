import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
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
const width = 1000;
const matrixBytes = width * width * 4;

/** A function with ten weight matrices of 1000 by 1000. */
function product(engine: Engine, streamsWeights: boolean) {
  const layers = (inputs: {x: Tensor}) => {
    let hidden = linear(weights.at('first'), inputs.x, width);
    for (let layer = 0; layer < 10; layer++) hidden = linear(weights.at(`layer${layer}`), hidden, width);
    return hidden;
  };
  const fn = engine.compile('f', layers, {streamsWeights});
  const run = async () => {
    const y = await fn.run({x});
    const values = await y.toFloat32Array();
    y.dispose();
    return values;
  };
  return {fn, run};
}

const weightBytes = () => memoryUsage().bufferBytes - before;

test.serial('streamed weights equal kept ones bit for bit, and nothing of them stays', async t => {
  const engine = new Engine(device);
  const expected = await product(engine, false).run();
  const kept = weightBytes();
  t.true(kept > 10 * matrixBytes);
  const {run} = product(engine, true);
  t.deepEqual(await run(), expected);
  t.deepEqual(await run(), expected);
  t.is(weightBytes(), kept);
  await engine.dispose();
  t.is(weightBytes(), 0);
});

test.serial('a program that streams has room for the weights of a layer, not of all', t => {
  const {program, recipes} = product(new Engine(device), true).fn.plan({x});
  t.is(recipes.length, 0);
  // The matrix as its file would have it, and packed.
  t.true(program.peakBytes > 2 * matrixBytes);
  t.true(program.peakBytes < 3 * matrixBytes);
});

test.serial('runs at the same time do not disturb each other', async t => {
  const engine = new Engine(device);
  const {run} = product(engine, true);
  const expected = await run();
  for (const values of await Promise.all(Array.from({length: 5}, run))) t.deepEqual(values, expected);
  t.is(weightBytes(), 0);
});

test.serial('an engine that keeps weights keeps those of all functions until it is disposed', async t => {
  const engine = new Engine(device, {keepsWeights: true});
  await product(engine, true).run();
  t.true(weightBytes() > 10 * matrixBytes);
  await engine.dispose();
  t.is(weightBytes(), 0);
});
