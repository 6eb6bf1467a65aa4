/**
 * CUDA devices from JavaScript, over an emulated one: the kernels and all of the runtime are those of the real one.
 */
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {ProfileSink} from '../../lib/engine/profile.ts';
import {ArgumentError, OutOfMemoryError} from '../../lib/errors.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {parameter} from '../../lib/graph/trace.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import type {DType} from '../../lib/runtime/dtype.ts';
import {trimMemory} from '../../lib/runtime/memory.ts';
import {emulatedCuda} from '../_helpers/emulated-cuda.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

Object.assign(process.env, emulatedCuda);
const device = openDevice('cuda');

const shape = [3, 20];
const values = (seed: number) =>
  Float32Array.from({length: 60}, (_, index) => Math.fround(Math.sin(seed + index * 1.7)));

/** layer_norm(silu(x)) · 2, of float32 statistics. */
const fn = ({x}: {x: Tensor}) =>
  ops.layerNorm({x: ops.unary({x}, {kind: 'silu'})}, {epsilon: 1e-5, dtype: x.dtype});

async function onCpu(data: Float32Array): Promise<Float32Array> {
  const cpu = openDevice('cpu');
  const x = DeviceTensor.from(cpu, data, shape);
  return (await new Engine(cpu).compile('reference', fn).run({x})).toFloat32Array();
}

test.serial('rows that lie apart become one tensor, which is read after its copy', async t => {
  const rows = [values(1), values(2), values(3)];
  const joined = Float32Array.from(rows.flatMap(row => [...row]));
  const {bufferBytes} = device.memoryUsage();
  const tensor = DeviceTensor.fromRows(device, rows, [3, ...shape]);
  // What was copied from may change at once.
  for (const row of rows) row.fill(0);
  t.deepEqual(await tensor.toFloat32Array(), joined);
  tensor.dispose();
  t.is(device.memoryUsage().bufferBytes, bufferBytes);
});

test.serial('the device says what it is', t => {
  t.is(device.kind, 'cuda');
  t.is(device.name, 'cuda:0');
  t.is(openDevice('auto').name, 'cuda:0');
  const {cuda} = device.systemInfo();
  t.is(cuda?.name, 'an emulated device');
  t.is(cuda?.computeCapability, 9);
  t.is(cuda?.driverVersion, '13.0');
  t.is(cuda?.totalMemoryBytes, 2 ** 30);
});

test.serial("its ops are the processor's, with equal inputs and attributes", t => {
  const {addon, handle} = device;
  const ofCpu = new Map(addon.describeOps().map(op => [op.name, op]));
  const ops = addon.describeOps(handle);
  t.deepEqual(ops.map(({name}) => name).sort(), [...ofCpu.keys()].sort());
  for (const {name, inputs, attributes} of ops) {
    const expected = ofCpu.get(name);
    t.deepEqual({inputs, attributes}, {inputs: expected!.inputs, attributes: expected!.attributes}, name);
  }
});

test.serial('tensors there and back, counted while they live', async t => {
  const before = device.memoryUsage().bufferBytes;
  const data = {
    float32: values(1),
    int32: Int32Array.of(-5, 7),
    uint8: Uint8Array.of(1, 255),
    float16: Uint16Array.of(0x3c00, 0xc000),
    bfloat16: Uint16Array.of(0x3f80, 0xc000),
  };
  const expected = {int32: [-5, 7], uint8: [1, 255], float16: [1, -2], bfloat16: [1, -2]};
  for (const [dtype, array] of Object.entries(data)) {
    const tensor = DeviceTensor.from(device, array, [array.length], dtype as DType);
    t.is(tensor.deviceName, 'cuda:0');
    t.is(device.memoryUsage().bufferBytes, before + array.byteLength);
    const read = [...(await tensor.toFloat32Array())];
    t.deepEqual(read, dtype === 'float32' ? [...array] : expected[dtype as keyof typeof expected]);
    tensor.dispose();
    t.is(device.memoryUsage().bufferBytes, before);
  }
});

test.serial('a function runs in every dtype, from its second run on as a graph, with equal bits', async t => {
  const reference = await onCpu(values(1));
  const engine = new Engine(device);
  for (const [dtype, tolerance] of [
    ['float32', 1e-5],
    ['float16', 2e-3],
    ['bfloat16', 2e-2],
  ] as const) {
    const compiled = engine.compile('test', fn);
    const x = DeviceTensor.from(device, values(1), shape, dtype);
    const other = DeviceTensor.from(device, values(2), shape, dtype);
    const results: Float32Array[] = [];
    for (const input of [x, x, other, x, other]) {
      const output = await compiled.run({x: input});
      t.is(output.dtype, dtype);
      results.push(await output.toFloat32Array());
      output.dispose();
    }
    t.true(relativeError(results[0]!, reference) < tolerance);
    t.deepEqual(results[1], results[0]);
    t.deepEqual(results[3], results[0]);
    t.notDeepEqual(results[2], results[0]);
    t.deepEqual(results[4], results[2]);
    x.dispose();
    other.dispose();
  }
});

test.serial('donated inputs become results in launches and in graphs, whether they stay or move', async t => {
  const add = ({sum, x}: {sum: Tensor; x: Tensor}) => ops.binary({a: x, b: sum}, {kind: 'add'});
  const fn = new Engine(device).compile('sum', add, {donates: ['sum']});
  const one = DeviceTensor.from(device, new Float32Array(60).fill(1), shape);
  const first = DeviceTensor.from(device, values(0), shape);
  const other = DeviceTensor.from(device, values(1), shape);
  const expected = [values(0), values(1)].map(data => data.slice());
  for (const [index, tensor] of [
    [0, first],
    [0, first],
    [0, first],
    [1, other],
    [0, first],
    [1, other],
  ] as const) {
    t.is(await fn.run({sum: tensor, x: one}), tensor);
    expected[index] = expected[index]!.map(value => Math.fround(value + 1));
    t.deepEqual(await first.toFloat32Array(), expected[0]);
    t.deepEqual(await other.toFloat32Array(), expected[1]);
  }
});

test.serial('runs may be begun before those before have ended', async t => {
  const compiled = new Engine(device).compile('test', fn);
  const inputs = Array.from({length: 8}, (_, seed) => values(seed));
  const outputs = await Promise.all(
    inputs.map(async data => {
      const x = DeviceTensor.from(device, data, shape);
      const output = await compiled.run({x});
      const result = await output.toFloat32Array();
      for (const tensor of [x, output]) tensor.dispose();
      return result;
    }),
  );
  for (const [index, output] of outputs.entries()) {
    t.true(relativeError(output, await onCpu(inputs[index]!)) < 1e-5);
  }
});

test.serial('weights in files are brought to the device', async t => {
  const folder = await tempFolder(t);
  const file = path.join(folder, 'weights.bin');
  const scale = Float32Array.from({length: 20}, (_, index) => index / 4);
  writeFileSync(file, Buffer.concat([Buffer.from('odd'), Buffer.from(scale.buffer)]));
  const stored = {name: 'scale', shape: [20], dtype: 'float32', file, byteOffset: 3, byteLength: 80} as const;
  const weights = new FileWeights('w', new Map([['scale', stored]]));
  const scaled = ({x}: {x: Tensor}) =>
    ops.layerNorm(
      {x, scale: parameter(weights, 'scale', {shape: [20], dtype: 'float32'})},
      {epsilon: 1e-5, dtype: 'float32'},
    );
  const before = device.memoryUsage().bufferBytes;
  const run = async (on: typeof device) => {
    const engine = new Engine(on);
    const x = DeviceTensor.from(on, values(3), shape);
    const output = await engine.compile('scaled', scaled).run({x});
    const result = await output.toFloat32Array();
    for (const tensor of [x, output]) tensor.dispose();
    await engine.dispose();
    return result;
  };
  t.true(relativeError(await run(device), await run(openDevice('cpu'))) < 1e-5);
  t.is(device.memoryUsage().bufferBytes, before);
});

test.serial('each node has a time', async t => {
  const profile = new ProfileSink();
  const x = DeviceTensor.from(device, values(1), shape);
  await new Engine(device).compile('timed', fn).run({x}, {profile});
  t.deepEqual(
    profile.rows.map(({op}) => op),
    ['unary', 'layer_norm'],
  );
  for (const {startUs, endUs} of profile.rows) t.true(endUs >= startUs);
  t.true(Math.abs(profile.rows[1]!.endUs - Number(process.hrtime.bigint() / 1000n)) < 5e6);
});

test.serial('a run ends with its signal', async t => {
  const x = DeviceTensor.from(device, values(1), shape);
  const compiled = new Engine(device).compile('aborted', fn);
  const controller = new AbortController();
  const running = compiled.run({x}, {signal: controller.signal});
  controller.abort(new Error('enough'));
  await t.throwsAsync(running, {message: 'enough'});
});

test.serial('tensors of another device, and what no kernel does, are refused', async t => {
  const compiled = new Engine(device).compile('mixed', fn);
  const x = DeviceTensor.from(openDevice('cpu'), values(1), shape);
  await t.throwsAsync(compiled.run({x}), {
    instanceOf: ArgumentError,
    message: 'run: inputs[0]: expected a tensor on cuda:0, got one on cpu. Make it there.',
  });
});

test.serial('memory that is not there is an error, and what programs share can be given back', async t => {
  process.env['IPAI_EMULATED_CUDA'] = 'memory=1';
  t.throws(() => DeviceTensor.from(device, new Float32Array(1e6), [1e6]), {
    instanceOf: OutOfMemoryError,
    message: /^out of memory: 3.8 MiB needed for a buffer on cuda:0, [\d.]+ MiB available\./,
  });
  delete process.env['IPAI_EMULATED_CUDA'];
  trimMemory(device);
  while (device.memoryUsage().arenaBytes > 0) await new Promise(resolve => setTimeout(resolve, 5));
  t.pass();
});
