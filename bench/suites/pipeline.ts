/**
 * A whole picture: encoders, instruct projection, steps with simple guidance, decoder. As by default, ours prepares the
 * weights of all but the UNet anew for each picture, here from random numbers; PyTorch keeps its own.
 */
import {ProfileSink} from '../../lib/engine/profile.ts';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {DeviceSpec} from '../../lib/runtime/device.ts';
import type {BenchCase, Work, Workload} from '../bench-case.ts';

const size = 512;

/** Options of a picture that takes all of the adapter's parts. */
export function pictureOptions(numInferenceSteps: number): GenerateOptions {
  const data = Uint8Array.from({length: 3 * size * size}, (_, index) => (index * 31) % 256);
  return {
    prompt: 'a house by the sea at dusk',
    negativePrompt: 'blurry',
    instruction: 'use the style',
    ipAdapterImage: {width: size, height: size, channels: 3, data},
    guidance: 'simple',
    scheduler: 'ddim',
    height: size,
    width: size,
    numInferenceSteps,
    seed: 0,
  };
}

export function pipelineCases(steps: number): BenchCase[] {
  return [
    {
      name: 'pipeline',
      shape: `${size}x${size}, ${steps} steps, simple guidance, instruct adapter`,
      pytorch: {kind: 'pipeline', settings: {height: size, width: size, steps}},
      warmedByLoading: true,
      load: ({engine, dtype}) => loadPipeline(engine.device.name as DeviceSpec, dtype, steps),
    },
  ];
}

async function loadPipeline(device: DeviceSpec, dtype: ComputeDType, steps: number): Promise<Workload> {
  const pipeline = await IPAdapterInstructPipeline.random({size: 'sd15', device, dtype});
  const profile = new ProfileSink();
  await pipeline.generate({...pictureOptions(1), profile});
  return {
    work: workOf(profile, steps),
    async run() {
      await pipeline.generate(pictureOptions(steps));
    },
    dispose: () => pipeline.dispose(),
  };
}

/** From the profile of a picture with one step; counted without the traffic, which arithmetic exceeds by far. */
function workOf({rows}: ProfileSink, steps: number): Work {
  const flops = rows.reduce((sum, row) => sum + row.flops * (row.function === 'unet' ? steps : 1), 0);
  return {flops, bytes: 0};
}
