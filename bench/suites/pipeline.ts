/**
 * Whole pictures: encoders, instruct projection, steps with guidance, decoder, PNG. As by default on the CPU, ours prepares
 * the weights of all but the UNet anew for each call, from the pages of a file; PyTorch keeps its own.
 */
import {ProfileSink} from '../../lib/engine/profile.ts';
import {encodePng} from '../../lib/images/write-image.ts';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import {generate} from '../../lib/pipelines/generate.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {randomModels} from '../../lib/pipelines/random-models.ts';
import type {DeviceSpec} from '../../lib/runtime/device.ts';
import type {BenchCase, Work, Workload} from '../bench-case.ts';
import {RandomFile} from '../random-file.ts';

const size = 512;

export interface PictureSettings {
  readonly steps: number;
  /** Pictures of a call. Default 1. */
  readonly batch?: number;
  /** `three-way` with its defaults: ours leaves branches out whose coefficient is 0, PyTorch's runs all four, as released. */
  readonly guidance?: 'simple' | 'three-way';
}

/** Options of pictures that take all of the adapter's parts. */
export function pictureOptions({steps, batch = 1, guidance = 'simple'}: PictureSettings): GenerateOptions {
  const data = new Uint8Array(3 * size * size);
  for (let index = 0; index < data.length; index++) data[index] = (index * 31) % 256;
  return {
    prompt: Array.from({length: batch}, (_, index) => `a house by the sea, number ${index}`),
    negativePrompt: 'blurry',
    instruction: 'use the style',
    ipAdapterImage: {width: size, height: size, channels: 3, data},
    guidance,
    scheduler: 'ddim',
    height: size,
    width: size,
    numInferenceSteps: steps,
    seed: Array.from({length: batch}, (_, index) => index),
  };
}

export function pipelineCase(settings: PictureSettings): BenchCase {
  const {steps, batch = 1, guidance = 'simple'} = settings;
  const branches = guidance === 'simple' ? 2 : 4;
  return {
    name: 'pipeline',
    shape: `${batch} x ${size}x${size}, ${steps} steps, ${guidance} guidance, instruct adapter`,
    pytorch: {kind: 'pipeline', settings: {height: size, width: size, steps, batch, branches}},
    warmedByLoading: true,
    load: ({engine, dtype}) => loadPipeline(engine.device.name as DeviceSpec, dtype, settings),
  };
}

async function loadPipeline(
  device: DeviceSpec,
  dtype: ComputeDType,
  settings: PictureSettings,
): Promise<Workload> {
  const file = new RandomFile();
  const models = await randomModels({size: 'sd15', device, dtype}, label => file.weights(label));
  const profile = new ProfileSink();
  await generate(models, {...pictureOptions({...settings, steps: 1}), profile});
  const options = pictureOptions(settings);
  return {
    work: workOf(profile, settings.steps),
    async run() {
      const {images} = await generate(models, options);
      await Promise.all(images.map(({image}) => encodePng(image!)));
    },
    async dispose() {
      await models.engine.dispose();
      file.dispose();
    },
  };
}

/** From the profile of a picture with one step; counted without the traffic, which arithmetic exceeds by far. */
function workOf({rows}: ProfileSink, steps: number): Work {
  const flops = rows.reduce((sum, row) => sum + row.flops * (row.function === 'unet' ? steps : 1), 0);
  return {flops, bytes: 0};
}
