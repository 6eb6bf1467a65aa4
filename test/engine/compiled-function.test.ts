import {join} from 'node:path';
import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {ProfileSink} from '../../lib/engine/profile.ts';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {DisposedError, ShapeError, WeightsError} from '../../lib/errors.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {add, linear, silu} from '../../lib/nn/layers.ts';
import {Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const device = openDevice('cpu');
const tensor = (data: number[], shape: number[]) => DeviceTensor.from(device, Float32Array.from(data), shape);

test('runs trees of tensors, with a program for each signature', async t => {
  const engine = new Engine(device);
  let traces = 0;
  const fn = engine.compile('f', ({x, list}: {x: Tensor; list: readonly Tensor[]}) => {
    traces++;
    return {sum: add(x, list[0]!), product: [ops.binary({a: x, b: list[0]!}, {kind: 'multiply'})]};
  });
  for (const size of [2, 3, 2]) {
    const x = tensor(Array(size).fill(3), [size]);
    const y = tensor(Array(size).fill(4), [size]);
    const {sum, product} = await fn.run({x, list: [y]});
    t.deepEqual([...(await sum.toFloat32Array())], Array(size).fill(7));
    t.deepEqual([...(await product[0]!.toFloat32Array())], Array(size).fill(12));
  }
  t.is(traces, 2);
  await engine.dispose();
});

test('calls at the same time trace once', async t => {
  const engine = new Engine(device);
  let traces = 0;
  const fn = engine.compile('f', ({x}: {x: Tensor}) => {
    traces++;
    return silu(x);
  });
  const x = tensor([1, 2], [2]);
  await Promise.all([fn.run({x}), fn.run({x}), fn.run({x})]);
  t.is(traces, 1);
  await engine.dispose();
});

test.serial('weights of a file are prepared once for all programs, and freed with the engine', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'weights.safetensors');
  const weight = Float32Array.from({length: 12}, (_, index) => index - 5);
  await writeSafetensors(
    path,
    new Map([
      ['layer.weight', {shape: [3, 4], dtype: 'float32', data: weight}],
      ['layer.bias', {shape: [3], dtype: 'float32', data: Float32Array.of(1, 2, 3)}],
    ]),
  );
  const source = new FileWeights('m', (await readSafetensorsIndex(path)).tensors);
  const engine = new Engine(device);
  const fn = engine.compile('f', ({x}: {x: Tensor}) => linear(new Weights(source).at('layer'), x, 3));
  const before = memoryUsage().bufferBytes;
  const x = tensor([1, 0, 0, 2], [1, 4]);
  const wide = tensor([1, 0, 0, 2, 0, 1, 0, 0], [2, 4]);
  const results = [await fn.run({x}), await fn.run({x: wide})];
  t.deepEqual([...(await results[0]!.toFloat32Array())], [-5 + 2 * -2 + 1, -1 + 2 * 2 + 2, 3 + 2 * 6 + 3]);
  t.deepEqual([...(await results[1]!.toFloat32Array())].slice(3), [-4 + 1, 0 + 2, 4 + 3]);
  for (const result of [...results, x, wide]) result.dispose();
  t.true(memoryUsage().bufferBytes > before);
  await engine.dispose();
  t.is(memoryUsage().bufferBytes, before);
});

test('a weight of another shape, or a missing one, is named', async t => {
  const engine = new Engine(device);
  const source = new FileWeights('m', new Map());
  const fn = engine.compile('f', ({x}: {x: Tensor}) => linear(new Weights(source).at('layer'), x, 3));
  await t.throwsAsync(() => fn.run({x: tensor([1, 2], [1, 2])}), {
    instanceOf: WeightsError,
    message: /m\.layer\.weight: expected this tensor/,
  });
});

test('a shape error at the first call carries the scope', async t => {
  const engine = new Engine(device);
  const fn = engine.compile('f', ({a, b}: {a: Tensor; b: Tensor}) => add(a, b));
  await t.throwsAsync(() => fn.run({a: tensor([1, 2], [2]), b: tensor([1, 2, 3], [3])}), {
    instanceOf: ShapeError,
  });
});

test('random weights depend on seed and name only', async t => {
  const value = async (seed: number, name: string) => {
    const engine = new Engine(device);
    const weights = new Weights(new RandomWeights('m', {seed}));
    const fn = engine.compile('f', ({x}: {x: Tensor}) => linear(weights.at(name), x, 2));
    return [...(await (await fn.run({x: tensor([1, 1, 1], [1, 3])})).toFloat32Array())];
  };
  t.deepEqual(await value(1, 'a'), await value(1, 'a'));
  t.notDeepEqual(await value(1, 'a'), await value(2, 'a'));
  t.notDeepEqual(await value(1, 'a'), await value(1, 'b'));
});

test('a profile has a row per node with cost, scope and times in order', async t => {
  const engine = new Engine(device);
  const weights = new Weights(new RandomWeights('m'));
  const fn = engine.compile('f', ({x}: {x: Tensor}) =>
    linear(weights.at('b'), linear(weights.at('a'), x, 8), 4),
  );
  const profile = new ProfileSink();
  await fn.run({x: tensor([1, 2], [1, 2])}, {profile});
  t.deepEqual(
    profile.rows.map(({function: name, op, scope, flops}) => ({name, op, scope, flops})),
    [
      {name: 'f', op: 'linear', scope: 'm.a', flops: 32},
      {name: 'f', op: 'linear', scope: 'm.b', flops: 64},
    ],
  );
  t.true(profile.rows[0]!.endUs <= profile.rows[1]!.startUs);
});

test('an engine is not usable after dispose', async t => {
  const engine = new Engine(device);
  const weights = new Weights(new RandomWeights('m'));
  const fn = engine.compile('f', ({x}: {x: Tensor}) => linear(weights, x, 2));
  await engine.dispose();
  await t.throwsAsync(() => fn.run({x: tensor([1], [1, 1])}), {instanceOf: DisposedError});
});

test('an aborted signal rejects with its reason', async t => {
  const engine = new Engine(device);
  const fn = engine.compile('f', ({x}: {x: Tensor}) => silu(x));
  const reason = new Error('enough');
  await t.throwsAsync(() => fn.run({x: tensor([1], [1])}, {signal: AbortSignal.abort(reason)}), {is: reason});
});
