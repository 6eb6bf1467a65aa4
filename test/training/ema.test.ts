import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {ExponentialMovingAverage, emaDecayAt} from '../../lib/training/ema.ts';

const engine = new Engine(openDevice('cpu'));

/** States [3, ...] of a run whose weights are drawn anew at each step. */
function randomWeights(seed: number): Map<string, HostTensor> {
  const generator = new TorchGenerator(seed);
  const shapes: Readonly<Record<string, readonly number[]>> = {'proj.weight': [3, 5], 'norm.bias': [7]};
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [name, {shape, data: generator.randn(shape)}]),
  );
}

async function update(ema: ExponentialMovingAverage, weights: ReadonlyMap<string, HostTensor>) {
  const optimizer = AdamW.begin(engine, weights);
  await ema.update(optimizer.state);
  optimizer.dispose();
}

test("decays are those of diffusers' EMAModel", t => {
  // get_decay: 0, then (1 + step) / (10 + step) with step = n - 1, no more than the decay.
  const expected = [0, 2 / 11, 3 / 12, 4 / 13, 5 / 14];
  t.deepEqual(
    [1, 2, 3, 4, 5].map(n => emaDecayAt(n, 0.9)),
    expected,
  );
  t.is(emaDecayAt(81, 0.9), 0.9);
  t.is(emaDecayAt(1_000_000, 0.9), 0.9);
  t.is(emaDecayAt(5, 0.1), 0.1);
});

test('averages agree with a loop in float64', async t => {
  const decay = 0.6;
  const ema = new ExponentialMovingAverage(engine, randomWeights(0), {decay});
  const expected = new Map([...randomWeights(0)].map(([name, {data}]) => [name, Float64Array.from(data)]));
  for (let n = 1; n <= 25; n++) {
    const weights = randomWeights(n);
    await update(ema, weights);
    const kept = n === 1 ? 0 : Math.min(decay, n / (9 + n));
    for (const [name, average] of expected) {
      for (const [i, weight] of weights.get(name)!.data.entries()) {
        average[i] = kept * average[i]! + (1 - kept) * weight;
      }
    }
  }
  for (const [name, {shape, data}] of await ema.weights()) {
    t.deepEqual(shape, randomWeights(0).get(name)!.shape);
    for (const [i, value] of data.entries())
      t.true(Math.abs(value - expected.get(name)![i]!) < 1e-6, `${name}[${i}]`);
  }
  ema.dispose();
});

test('it goes on from its averages and the number of updates with equal bits', async t => {
  const options = {decay: 0.99};
  const unbroken = new ExponentialMovingAverage(engine, randomWeights(0), options);
  for (let n = 1; n <= 6; n++) await update(unbroken, randomWeights(n));
  let broken = new ExponentialMovingAverage(engine, randomWeights(0), options);
  for (let n = 1; n <= 3; n++) await update(broken, randomWeights(n));
  const saved = await broken.weights();
  const {updates} = broken;
  broken.dispose();
  broken = new ExponentialMovingAverage(engine, saved, options, updates);
  for (let n = 4; n <= 6; n++) await update(broken, randomWeights(n));
  t.is(broken.updates, 6);
  t.deepEqual(await broken.weights(), await unbroken.weights());
});
