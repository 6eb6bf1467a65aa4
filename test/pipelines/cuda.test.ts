/**
 * A whole generation on a CUDA device, emulated or real, beside the processor's.
 */
import test from 'ava';
import {IPAdapterInstructPipeline} from '../../lib/index.ts';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import {type DeviceSpec, openDevice} from '../../lib/runtime/device.ts';
import {anyCuda} from '../_helpers/emulated-cuda.ts';
import {relativeError} from '../_helpers/relative-error.ts';

Object.assign(process.env, anyCuda);
const device = openDevice('cuda');

/** Three steps: the UNet's first is launched node by node, the others are a graph. */
async function latents(on: DeviceSpec, dtype: ComputeDType): Promise<Float32Array> {
  await using pipeline = await IPAdapterInstructPipeline.random({device: on, dtype});
  const {images} = await pipeline.generate({
    prompt: 'a house by the sea',
    height: 64,
    width: 64,
    numInferenceSteps: 3,
    seed: 1,
    outputType: 'latent',
  });
  return images[0]!.latents.data;
}

test('text to image in float16: latents as in float32 on the processor', async t => {
  const expected = await latents('cpu', 'float32');
  const before = device.memoryUsage().bufferBytes;
  const actual = await latents('cuda', 'float16');
  t.true(relativeError(actual, expected) < 1e-2);
  t.is(device.memoryUsage().bufferBytes, before);
});
