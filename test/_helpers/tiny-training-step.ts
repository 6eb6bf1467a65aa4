/**
 * A training step of the tiny random model, with a batch of two.
 */
import type {CompiledFunction} from '../../lib/engine/compiled-function.ts';
import {Engine} from '../../lib/engine/engine.ts';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {describeAdapterWeights} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {type Device, openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {type AdapterBatch, adapterLoss} from '../../lib/training/adapter-loss.ts';
import type {DiffusionLoss} from '../../lib/training/diffusion-loss.ts';
import {type GradientsWithNorm, type StepInputs, stateGradients} from '../../lib/training/state-gradients.ts';

type TrainingStep = CompiledFunction<StepInputs<AdapterBatch>, DiffusionLoss & GradientsWithNorm>;

/** Draws are equal for equal kinds; `again` recomputes. */
export async function tinyTrainingStep(
  kind: 'plus' | 'instruct',
  device: Device = openDevice('cpu'),
  dtype: ComputeDType = 'float32',
) {
  const generator = new TorchGenerator(1);
  const random = (shape: readonly number[], scale = 1): HostTensor => ({
    shape,
    data: generator.randn(shape).map(x => x * scale),
  });
  const pipeline = await IPAdapterInstructPipeline.random({adapter: kind});
  const {denoiser, adapter} = pipeline.models;
  const {config} = denoiser;
  const description = adapter!.adapter.description;
  const engine = new Engine(device);
  const layers = crossAttentionLayers(config);
  const shapes = describeAdapterWeights(description, layers);
  const weights = new Map(
    [...shapes].map(([name, shape]) => {
      const fanIn = shape.length > 1 ? shape.at(-1)! : 0;
      if (fanIn > 0) return [name, random(shape, fanIn ** -0.5)];
      const size = shape[0]!;
      return [name, {shape, data: new Float32Array(size).fill(name.endsWith('bias') ? 0 : 1)}];
    }),
  );
  const model = {
    unet: new Weights(new RandomWeights('unet')),
    config,
    adapter: description,
    dtype,
  };
  const [compiled, again] = [false, true].map(recompute =>
    engine.compile('train', ({state, batch, lossScale}: StepInputs<AdapterBatch>) =>
      stateGradients('adapter', state, trained => adapterLoss(model, trained, batch), {recompute, lossScale}),
    ),
  ) as [TrainingStep, TrainingStep];
  const text = [2, 77, config.crossAttentionDim];
  const upload = ({shape, data}: HostTensor) => DeviceTensor.from(engine.device, data, shape);
  const texts = kind === 'instruct' ? {prompt: upload(random(text)), instruction: upload(random(text))} : {};
  const batch = {
    noisy: upload(random([2, 4, 8, 8])),
    target: upload(random([2, 4, 8, 8])),
    timesteps: upload({shape: [2], data: Float32Array.of(10, 700)}),
    weights: upload({shape: [2, 1, 1, 1], data: Float32Array.of(1, 1)}),
    encoderHiddenStates: upload(random(text)),
    condition: {image: upload(random([2, 65, 64])), ...texts},
    imageScales: upload({shape: [layers.length, 2], data: new Float32Array(2 * layers.length).fill(1)}),
  };
  return {engine, weights, compiled, again, batch};
}
