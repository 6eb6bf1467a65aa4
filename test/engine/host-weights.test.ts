import {join} from 'node:path';
import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {HostWeights} from '../../lib/engine/host-weights.ts';
import {WeightsError} from '../../lib/errors.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {linear} from '../../lib/nn/layers.ts';
import {type WeightSource, Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const device = openDevice('cpu');

test("weights of the host's memory run as those of a file, prepared or streamed", async t => {
  const weight = Float32Array.from({length: 12}, (_, i) => Math.sin(i));
  const bias = Float32Array.of(1, -2, 3);
  const path = join(await tempFolder(t), 'weights.safetensors');
  const tensors = new Map([
    ['proj.weight', {shape: [3, 4], data: weight}],
    ['proj.bias', {shape: [3], data: bias}],
  ]);
  await writeSafetensors(
    path,
    new Map([...tensors].map(([name, entry]) => [name, {...entry, dtype: 'float32' as const}])),
  );
  const {tensors: stored} = await readSafetensorsIndex(path);
  const before = memoryUsage().bufferBytes;
  const engine = new Engine(device);
  const x = DeviceTensor.from(device, Float32Array.of(1, 2, 3, 4), [1, 4]);
  const run = async (source: WeightSource, streamsWeights: boolean) => {
    const weights = new Weights(source);
    const fn = engine.compile('f', (inputs: {x: Tensor}) => linear(weights.at('proj'), inputs.x, 3), {
      streamsWeights,
    });
    const y = await fn.run({x});
    const values = await y.toFloat32Array();
    y.dispose();
    return values;
  };
  const expected = await run(new FileWeights('m', stored), false);
  for (const streams of [false, true])
    t.deepEqual(await run(new HostWeights('m', tensors), streams), expected);
  const missing = new HostWeights('m', new Map([['proj.weight', tensors.get('proj.bias')!]]));
  await t.throwsAsync(run(missing, true), {instanceOf: WeightsError, message: /m\.proj\.weight.*\[3, 4\]/});
  await t.throwsAsync(run(new HostWeights('m', new Map()), true), {
    instanceOf: WeightsError,
    message: /missing/,
  });
  await engine.dispose();
  x.dispose();
  t.is(memoryUsage().bufferBytes, before);
});
