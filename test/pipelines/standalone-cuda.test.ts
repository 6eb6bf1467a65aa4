/**
 * Attention as a function of its own on a CUDA device, emulated or real, against the processor.
 */
import test from 'ava';
import {DeviceTensor, decoupledCrossAttention, fusedAttention, openDevice} from '../../lib/index.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {anyCuda} from '../_helpers/emulated-cuda.ts';
import {relativeError} from '../_helpers/relative-error.ts';

Object.assign(process.env, anyCuda);
const device = openDevice('cuda');

const heads = 2;
const channels = 2 * 40;

function tensor(tokens: number, seed: number): HostTensor {
  const data = Float32Array.from({length: 2 * tokens * channels}, (_, index) =>
    Math.sin(seed + index * 1.37),
  );
  return {shape: [2, tokens, channels], data};
}

const [query, key, value] = [tensor(5, 1), tensor(17, 2), tensor(17, 3)];

test('fusedAttention of arrays and of device tensors', async t => {
  const expected = await fusedAttention({query, key, value}, {heads, device: 'cpu'});
  for (const [dtype, tolerance] of [
    ['bfloat16', 2e-2],
    ['float16', 4e-3],
  ] as const) {
    const ofArrays = await fusedAttention({query, key, value}, {heads, device: 'cuda', dtype});
    t.true(relativeError(ofArrays.data, expected.data) < tolerance);
    const onDevice = DeviceTensor.from(device, query.data, query.shape, dtype);
    const ofTensor = await fusedAttention({query: onDevice, key, value}, {heads});
    t.is(ofTensor.deviceName, 'cuda:0');
    t.deepEqual(await ofTensor.toFloat32Array(), ofArrays.data);
  }
});

test('decoupledCrossAttention', async t => {
  const image = {imageKey: tensor(4, 4), imageValue: tensor(4, 5), imageScale: [0.5, 1.5]};
  const operands = {query, textKey: key, textValue: value, ...image};
  const expected = await decoupledCrossAttention(operands, {heads, device: 'cpu'});
  const result = await decoupledCrossAttention(operands, {heads, device: 'cuda'});
  t.true(relativeError(result.data, expected.data) < 2e-2);
});
