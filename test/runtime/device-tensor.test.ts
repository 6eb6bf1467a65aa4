import {writeFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {
  ArgumentError,
  DeviceError,
  DisposedError,
  DTypeError,
  FileError,
  ShapeError,
} from '../../lib/errors.ts';
import {type DeviceSpec, openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const device = openDevice();

test('values of each dtype come back', async t => {
  const floats = new Float32Array([0, -1.5, 65504, 1e-8]);
  t.deepEqual(await DeviceTensor.from(device, floats, [2, 2]).toFloat32Array(), floats);
  const ints = DeviceTensor.from(device, new Int32Array([1, -2, 3]), [3]);
  t.is(ints.dtype, 'int32');
  t.deepEqual([...(await ints.toFloat32Array())], [1, -2, 3]);
  const bytes = DeviceTensor.from(device, new Uint8Array([0, 255]), [2, 1]);
  t.is(bytes.dtype, 'uint8');
  t.deepEqual([...(await bytes.toFloat32Array())], [0, 255]);
  const halves = DeviceTensor.from(device, new Uint16Array([0x3c00, 0xc000]), [2], 'float16');
  t.deepEqual([...(await halves.toFloat32Array())], [1, -2]);
});

test('rows that lie apart become one tensor', async t => {
  const all = Float32Array.of(9, 1, 2, 3, 4, 5, 6);
  const tensor = DeviceTensor.fromRows(device, [all.subarray(1, 4), Float32Array.of(7, 8, 9)], [2, 3]);
  t.deepEqual([tensor.shape, tensor.dtype], [[2, 3], 'float32']);
  t.deepEqual([...(await tensor.toFloat32Array())], [1, 2, 3, 7, 8, 9]);
  t.throws(() => DeviceTensor.fromRows(device, [all], [2, 3]), {instanceOf: ShapeError, message: /6 .* 7/});
});

test('float32 data is rounded to 16 bits when asked', async t => {
  const values = new Float32Array([1, 1 + 2 ** -9, Math.PI]);
  const bfloat16 = DeviceTensor.from(device, values, [3], 'bfloat16');
  t.is(bfloat16.byteLength, 6);
  t.deepEqual([...(await bfloat16.toFloat32Array())], [1, 1, 3.140625]);
  const float16 = DeviceTensor.from(device, values, [3], 'float16');
  t.deepEqual([...(await float16.toFloat32Array())], [1, 1 + 2 ** -9, 3.140625]);
});

test('data that does not fit is refused', t => {
  t.throws(() => DeviceTensor.from(device, new Float32Array(5), [2, 3]), {
    instanceOf: ShapeError,
    message: 'DeviceTensor.from: expected 6 elements for shape [2, 3], got 5.',
  });
  t.throws(() => DeviceTensor.from(device, new Uint16Array(2), [2]), {instanceOf: DTypeError});
  t.throws(() => DeviceTensor.from(device, new Int32Array(2), [2], 'float32'), {instanceOf: DTypeError});
  for (const extent of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => DeviceTensor.from(device, new Float32Array(0), [extent]), {instanceOf: ArgumentError});
  }
});

test('disposal frees the memory once and makes use an error', async t => {
  const before = memoryUsage().bufferBytes;
  const tensor = DeviceTensor.from(device, new Float32Array(1000), [1000]);
  t.is(memoryUsage().bufferBytes, before + 4000);
  tensor.dispose();
  tensor[Symbol.dispose]();
  t.is(memoryUsage().bufferBytes, before);
  await t.throwsAsync(tensor.toFloat32Array(), {
    instanceOf: DisposedError,
    message: 'tensor float32[1000]: used after dispose().',
  });
});

test('a tensor in a file is mapped at any offset', async t => {
  const folder = await tempFolder(t);
  const file = path.join(folder, 'weights.bin');
  const floats = new Float32Array([1, 2, 3, 4]);
  writeFileSync(file, Buffer.concat([Buffer.from('odd'), Buffer.from(floats.buffer)]));
  const bytes = memoryUsage().bufferBytes;
  const unaligned = device.mapTensor(file, 3, {shape: [4], dtype: 'float32'});
  t.deepEqual(await unaligned.toFloat32Array(), floats);
  t.is(memoryUsage().bufferBytes, bytes + 16);
  unaligned.dispose();
  const aligned = device.mapTensor(file, 4, {shape: [15], dtype: 'uint8'});
  t.is(memoryUsage().bufferBytes, bytes);
  t.is((await aligned.toFloat32Array()).length, 15);
  t.throws(() => device.mapTensor(file, 4, {shape: [4], dtype: 'float32'}), {
    instanceOf: FileError,
    message: /expected 16 bytes at offset 4, but the file ends at 19/,
  });
  t.throws(() => device.mapTensor(path.join(folder, 'none'), 0, {shape: [1], dtype: 'uint8'}), {
    instanceOf: FileError,
    message: /cannot be opened: No such file/,
  });
});

test('devices by name', t => {
  t.is(openDevice('auto').kind, 'cpu');
  for (const spec of ['cuda', 'cuda:0'] as const) {
    t.throws(() => openDevice(spec), {
      instanceOf: DeviceError,
      message: new RegExp(
        `^device '${spec}': the CUDA library was not found \\(tried .*none\\). Correct or unset IPAI_CUDA_LIBRARY. ` +
          "Or choose 'cpu', or 'auto' for the best device there is.$",
      ),
    });
  }
  for (const spec of ['gpu', 'cpu:0', 'auto:1', 'cuda:', 'cuda:x']) {
    t.throws(() => openDevice(spec as DeviceSpec), {instanceOf: ArgumentError});
  }
  const info = device.systemInfo();
  t.true(info.threads >= 1 && info.cores >= 1 && info.availableMemoryBytes <= info.totalMemoryBytes);
});

test('16-bit floats survive the way there and back', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint16Array({minLength: 1, maxLength: 64}),
      fc.constantFrom('float16' as const, 'bfloat16' as const),
      async (bits, dtype) => {
        const first = await DeviceTensor.from(device, bits, [bits.length], dtype).toFloat32Array();
        const second = await DeviceTensor.from(device, first, [bits.length], dtype).toFloat32Array();
        t.deepEqual(second, first);
      },
    ),
  );
});

test('rounding takes the nearest 16-bit float', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.float({noNaN: true, min: -60000, max: 60000}),
      fc.constantFrom(['float16', 2 ** -11, 2 ** -25] as const, ['bfloat16', 2 ** -8, 0] as const),
      async (value, [dtype, relative, absolute]) => {
        const [rounded] = await DeviceTensor.from(
          device,
          new Float32Array([value]),
          [1],
          dtype,
        ).toFloat32Array();
        // Half a step of the mantissa, or of the subnormal numbers.
        t.true(Math.abs(rounded! - value) <= Math.max(Math.abs(value) * relative, absolute, 2 ** -134));
      },
    ),
  );
});

test.serial('memory of disposed tensors goes back to the system at once', t => {
  const make = () => DeviceTensor.from(device, new Float32Array(1e6).fill(1), [1e6]);
  const before = process.memoryUsage.rss();
  // Alternately freed and kept, which is what leaves a heap with holes.
  const tensors = Array.from({length: 80}, make);
  const full = process.memoryUsage.rss();
  t.true(full - before > 300e6);
  for (const [index, tensor] of tensors.entries()) if (index % 2 === 0) tensor.dispose();
  t.true(process.memoryUsage.rss() < full - 130e6);
  for (const [index, tensor] of tensors.entries()) if (index % 2 === 1) tensor.dispose();
});
