/**
 * Kernels as functions of their own, against loops in float64 and published modules.
 */
import test from 'ava';
import {
  ArgumentError,
  DeviceTensor,
  DTypeError,
  decoupledCrossAttention,
  fusedAttention,
  instructProjection,
  openDevice,
  openWeights,
  ShapeError,
} from '../../lib/index.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const device = 'cpu';

function tensor(shape: readonly number[], seed: number): HostTensor {
  const length = shape.reduce((product, extent) => product * extent, 1);
  return {shape, data: Float32Array.from({length}, (_, index) => Math.sin(seed + index * 1.37) * 1.5)};
}

interface Visible {
  /** What is added to the score of query n and key m of sample b. */
  readonly bias?: (b: number, n: number, m: number) => number;
  readonly scale?: number;
}

/** Attention in float64. */
function reference(q: HostTensor, k: HostTensor, v: HostTensor, heads: number, {bias, scale}: Visible = {}) {
  const [batch, queries, channels] = q.shape as [number, number, number];
  const keys = k.shape[1]!;
  const width = channels / heads;
  const factor = scale ?? 1 / Math.sqrt(width);
  const result = new Float64Array(q.data.length);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let n = 0; n < queries; n++) {
        const at = (row: number, tokens: number, d: number) =>
          (b * tokens + row) * channels + head * width + d;
        const scores = Array.from({length: keys}, (_, m) => {
          let sum = 0;
          for (let d = 0; d < width; d++) sum += q.data[at(n, queries, d)]! * k.data[at(m, keys, d)]!;
          return sum * factor + (bias?.(b, n, m) ?? 0);
        });
        const largest = Math.max(...scores);
        const weights = scores.map(score => Math.exp(score - largest));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (let d = 0; d < width; d++) {
          let sum = 0;
          for (let m = 0; m < keys; m++) sum += weights[m]! * v.data[at(m, keys, d)]!;
          result[at(n, queries, d)] = sum / total;
        }
      }
    }
  }
  return result;
}

const query = tensor([2, 5, 24], 1);
const key = tensor([2, 7, 24], 2);
const value = tensor([2, 7, 24], 3);

test('fusedAttention of arrays: plain, causal, masked, scaled', async t => {
  const near = (result: HostTensor, expected: Float64Array) => {
    t.deepEqual(result.shape, query.shape);
    t.true(relativeError(result.data, expected) < 1e-5);
  };
  near(await fusedAttention({query, key, value}, {heads: 3, device}), reference(query, key, value, 3));
  near(
    await fusedAttention({query, key, value}, {heads: 2, scale: 0.2, device}),
    reference(query, key, value, 2, {scale: 0.2}),
  );
  near(
    await fusedAttention({query, key: query, value: query}, {heads: 3, causal: true, device}),
    reference(query, query, query, 3, {bias: (_, n, m) => (m > n ? -Infinity : 0)}),
  );
  const mask = tensor([2, 1, 7], 4);
  near(
    await fusedAttention({query, key, value, mask}, {heads: 3, device}),
    reference(query, key, value, 3, {bias: (b, _, m) => mask.data[b * 7 + m]!}),
  );
});

test('fusedAttention of device tensors gives one, and equal bits each time', async t => {
  const cpu = openDevice(device);
  const on = ({shape, data}: HostTensor) => DeviceTensor.from(cpu, data, shape, 'bfloat16');
  const inputs = {query: on(query), key: on(key), value};
  const first = await fusedAttention(inputs, {heads: 3});
  const second = await fusedAttention(inputs, {heads: 3});
  t.true(first instanceof DeviceTensor);
  t.is(first.dtype, 'bfloat16');
  t.deepEqual(await second.toFloat32Array(), await first.toFloat32Array());
  t.true(relativeError(await first.toFloat32Array(), reference(query, key, value, 3)) < 2e-2);
});

test('decoupledCrossAttention: the scale as a number, a list and a tensor', async t => {
  const imageKey = tensor([2, 4, 24], 5);
  const imageValue = tensor([2, 4, 24], 6);
  const text = reference(query, key, value, 3);
  const image = reference(query, imageKey, imageValue, 3);
  const expected = (scales: readonly number[]) =>
    text.map((sum, index) => sum + scales[index < text.length / 2 ? 0 : 1]! * image[index]!);
  const operands = {query, textKey: key, textValue: value, imageKey, imageValue};
  for (const [imageScale, scales] of [
    [0.7, [0.7, 0.7]],
    [
      [1, -0.5],
      [1, -0.5],
    ],
    [{shape: [2], data: Float32Array.of(0, 2)}, [0, 2]],
  ] as const) {
    const result = await decoupledCrossAttention({...operands, imageScale}, {heads: 3, device});
    t.true(relativeError(result.data, expected(scales)) < 1e-5);
  }
});

test('instructProjection: the published module, and only the texts that it attends to', async t => {
  const vision = readSafetensors(inReference('cases', 'clip_vision.safetensors'));
  const expected = readSafetensors(inReference('cases', 'projections.safetensors'));
  const image = {...vision['penultimate']!, data: Float32Array.from(vision['penultimate']!.data)};
  const weights = await openWeights(inReference('ip-adapter-plus.safetensors'));
  for (let run = 0; run < 2; run++) {
    const tokens = await instructProjection({image}, {weights, heads: 2, device});
    t.true(relativeError(tokens.data, expected['plus']!.data) < 1e-4);
  }
  await t.throwsAsync(instructProjection({image, instruction: image}, {weights, heads: 2, device}), {
    instanceOf: ArgumentError,
    message: /^instruction: expected none, as an adapter of the kind 'plus' would ignore them/,
  });
});

test('operands that do not fit say which and why', async t => {
  await t.throwsAsync(fusedAttention({query, key: value, value: query}, {heads: 3, device}), {
    instanceOf: ShapeError,
    message: /^attention\(.*\): expected v \[2, 7, 24\], got f32\[2, 5, 24\]/,
  });
  await t.throwsAsync(fusedAttention({query, key, value}, {heads: 5, device}), {instanceOf: ShapeError});
  await t.throwsAsync(fusedAttention({query, key, value}, {heads: 3, device, dtype: 'float16'}), {
    instanceOf: ArgumentError,
    message: "dtype: expected float32 or bfloat16 on cpu but received 'float16'.",
  });
  const short = {shape: [2, 7, 24], data: new Float32Array(3)};
  await t.throwsAsync(fusedAttention({query, key: short, value}, {heads: 3, device}), {
    instanceOf: ArgumentError,
    message: /^fusedAttention: key: expected \{shape, data\} .* \[2, 7, 24\], but received 3\.$/,
  });
  const ids = DeviceTensor.from(openDevice(device), new Int32Array(2 * 7 * 24), [2, 7, 24]);
  await t.throwsAsync(fusedAttention({query, key: ids, value}, {heads: 3, device}), {instanceOf: DTypeError});
});
