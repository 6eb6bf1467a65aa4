// Ten steps beside PyTorch's, from the same weights and batches: bench/pytorch/train_step.py made the fixture.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {alphasCumprod} from '../../lib/schedulers/noise-schedule.ts';
import {AdamW} from '../../lib/training/adamw.ts';
import {type AdapterBatch, adapterLoss} from '../../lib/training/adapter-loss.ts';
import {diffusionTarget} from '../../lib/training/diffusion-loss.ts';
import {type StepInputs, stateGradients} from '../../lib/training/state-gradients.ts';
import {detectAdapterKind} from '../../lib/weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../../lib/weights/adapter-names.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {inReference} from '../_helpers/reference-paths.ts';

const fixture = readSafetensors(
  fileURLToPath(new URL('../fixtures/training/adamw-steps.safetensors', import.meta.url)),
);
const engine = new Engine(openDevice('cpu'));
const steps = 10;
const tolerance = 1e-3;

const alphas = alphasCumprod({
  numTrainTimesteps: 1000,
  betaStart: 0.00085,
  betaEnd: 0.012,
  betaSchedule: 'scaled_linear',
});

function upload(shape: readonly number[], data: Float32Array): DeviceTensor {
  return DeviceTensor.from(engine.device, data, shape);
}

/** A batch of the fixture, its samples made noisy here. */
function loadBatch(index: number, layers: number) {
  const part = (name: string): HostTensor => fixture[`batch.${index}.${name}`]!;
  const given = (name: string) => upload(part(name).shape, part(name).data);
  const [latents, noise, timesteps] = ['latents', 'noise', 'timesteps'].map(part) as [
    HostTensor,
    HostTensor,
    HostTensor,
  ];
  const samples = timesteps.data.length;
  const size = latents.data.length / samples;
  const noisy = new Float32Array(latents.data.length);
  for (let i = 0; i < samples; i++) {
    const row = (x: Float32Array) => x.subarray(i * size, (i + 1) * size);
    const alpha = alphas[timesteps.data[i]!]!;
    noisy.set(diffusionTarget(row(latents.data), row(noise.data), alpha, 'epsilon').noisy, i * size);
  }
  return {
    noisy: upload(latents.shape, noisy),
    target: upload(noise.shape, noise.data),
    timesteps: given('timesteps'),
    weights: upload([samples, 1, 1, 1], new Float32Array(samples).fill(1)),
    encoderHiddenStates: given('text'),
    condition: {image: given('image'), prompt: given('prompt'), instruction: given('instruction')},
    imageScales: upload([layers, samples], new Float32Array(layers * samples).fill(1)),
  };
}

test('losses and final weights of ten AdamW steps agree with PyTorch', async t => {
  const config = parseUNetConfig(JSON.parse(readFileSync(inReference('model/unet/config.json'), 'utf8')));
  const frozen = await openWeights(inReference('model/unet/diffusion_pytorch_model.safetensors'));
  const tensors = canonicalAdapterTensors(await openWeights(inReference('ip-adapter-instruct.safetensors')));
  const initial = new Map<string, HostTensor>();
  for (const [name, stored] of tensors) {
    initial.set(name, {shape: stored.shape, data: await readTensor(stored)});
  }
  const model = {
    unet: new Weights(new FileWeights('unet', frozen.tensors)),
    config,
    adapter: detectAdapterKind(tensors, {heads: 2}),
    dtype: 'float32' as const,
  };
  const compiled = engine.compile('train', ({state, batch}: StepInputs<AdapterBatch>) =>
    stateGradients('adapter', state, weights => adapterLoss(model, weights, batch), {recompute: false}),
  );
  const layers = crossAttentionLayers(config).length;
  const batches = [loadBatch(0, layers), loadBatch(1, layers)];
  const adamw = AdamW.begin(engine, initial);
  let worstLoss = 0;
  for (let step = 0; step < steps; step++) {
    const {loss, gradients} = await compiled.run({state: adamw.state, batch: batches[step % 2]!});
    const [value] = await loss.toFloat32Array();
    const expected = fixture['losses']!.data[step]!;
    worstLoss = Math.max(worstLoss, Math.abs(value! / expected - 1));
    await adamw.step(gradients, {learningRate: 1e-3});
  }
  let worstWeight = 0;
  for (const [name, {data}] of await adamw.weights()) {
    const expected = fixture[`weights.${name}`]!.data;
    t.is(data.length, expected.length, name);
    for (const [i, value] of expected.entries()) {
      worstWeight = Math.max(worstWeight, Math.abs(data[i]! - value));
    }
  }
  t.log(`losses within ${worstLoss.toExponential(1)}, weights within ${worstWeight.toExponential(1)}`);
  t.true(worstLoss < tolerance);
  t.true(worstWeight < tolerance);
});
