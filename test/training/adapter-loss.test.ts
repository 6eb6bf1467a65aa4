import test, {type ExecutionContext} from 'ava';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {tinyTrainingStep} from '../_helpers/tiny-training-step.ts';

async function checkSlope(t: ExecutionContext, kind: 'plus' | 'instruct'): Promise<void> {
  const {engine, weights, compiled, batch} = await tinyTrainingStep(kind);
  const lossAt = async (changed: ReadonlyMap<string, HostTensor>) => {
    const adamw = AdamW.begin(engine, changed);
    const outputs = await compiled.run({state: adamw.state, batch});
    adamw.dispose();
    return outputs;
  };
  const {loss, gradients: parts, squaredNorm} = await lossAt(weights);
  t.true(Number.isFinite((await loss.toFloat32Array())[0]));
  let norm = 0;
  // Along the gradient itself the loss rises by its squared norm.
  const directions = new Map<string, Float32Array>();
  for (const [name, part] of Object.entries(parts)) {
    const data = await part.toFloat32Array();
    directions.set(name, data);
    norm += data.reduce((sum, x) => sum + x * x, 0);
    t.true(
      data.some(x => x !== 0),
      name,
    );
  }
  t.true(Math.abs((await squaredNorm.toFloat32Array())[0]! / norm - 1) < 1e-4);
  const step = 3e-3 / Math.sqrt(norm);
  const moved = async (by: number) => {
    const changed = new Map(
      [...weights].map(([name, {shape, data}]) => [
        name,
        {shape, data: data.map((x, i) => x + by * directions.get(name)![i]!)},
      ]),
    );
    return (await (await lossAt(changed)).loss.toFloat32Array())[0]!;
  };
  const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
  t.log(`slope ${slope}, squared norm ${norm}`);
  t.true(Math.abs(slope / norm - 1) < 0.02);
}

test('gradients of IP-Adapter+ are the slope of the loss', t => checkSlope(t, 'plus'));
test('and so are those of IPAdapter-Instruct', t => checkSlope(t, 'instruct'));

test('recomputation: equal gradients, a smaller arena, the same weights', async t => {
  const {engine, weights, compiled, again, batch} = await tinyTrainingStep('instruct');
  const {state} = AdamW.begin(engine, weights);
  const [kept, recomputed] = [await compiled.run({state, batch}), await again.run({state, batch})];
  const arrays = (outputs: typeof kept) =>
    Promise.all([outputs.loss, ...Object.values(outputs.gradients)].map(tensor => tensor.toFloat32Array()));
  const expected = await arrays(kept);
  for (const [index, actual] of (await arrays(recomputed)).entries()) {
    t.true(relativeError(actual, expected[index]!) < 1e-5);
  }
  const [large, small] = [compiled, again].map(step => step.plan({state, batch}).program);
  t.log(`arena ${large!.peakBytes} bytes without, ${small!.peakBytes} with`);
  t.true(small!.peakBytes < 0.4 * large!.peakBytes);
  t.deepEqual([...small!.parameterBytes].sort(), [...large!.parameterBytes].sort());
});

test('AdamW brings the loss of one batch down, and goes on from a saved state with equal bits', async t => {
  const {engine, weights, compiled, batch} = await tinyTrainingStep('instruct');
  let adamw = AdamW.begin(engine, weights, {weightDecay: 0});
  const train = async (steps: number) => {
    let last = 0;
    for (let step = 0; step < steps; step++) {
      const {loss, gradients: parts, errors, squaredNorm} = await compiled.run({state: adamw.state, batch});
      last = (await loss.toFloat32Array())[0]!;
      await adamw.step(parts, {learningRate: 1e-3});
      for (const tensor of [loss, errors, squaredNorm, ...Object.values(parts)]) tensor.dispose();
    }
    return last;
  };
  const first = await train(1);
  t.true((await train(10)) < 0.98 * first);
  const saved = await adamw.saved();
  const {steps} = adamw;
  await train(2);
  const unbroken = await adamw.weights();
  adamw.dispose();
  adamw = AdamW.resume(engine, saved, steps, {weightDecay: 0});
  await train(2);
  t.deepEqual(await adamw.weights(), unbroken);
});
