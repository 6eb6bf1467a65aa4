import {fileURLToPath} from 'node:url';
import test from 'ava';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const image = fixture('reference/condition.png');
const maskImage = fixture('pipelines/mask.png');

const cases: Readonly<Record<string, Partial<GenerateOptions>>> = {
  img2img: {image, strength: 0.6},
  img2img_euler_ancestral: {image, strength: 0.6, scheduler: 'EulerAncestralDiscreteScheduler'},
  inpaint: {image, maskImage},
  inpaint_partial: {image, maskImage, strength: 0.7},
  text2img_rescale: {guidanceRescale: 0.7},
  text2img_clip_skip: {clipSkip: 1},
  text2img_euler_ancestral: {scheduler: 'EulerAncestralDiscreteScheduler'},
};

test('seeded latents equal those of diffusers’ pipelines', async t => {
  const expected = readSafetensors(fixture('pipelines/pipelines.safetensors'));
  const pipeline = await IPAdapterInstructPipeline.load({model: fixture('reference/model')});
  for (const [name, options] of Object.entries(cases)) {
    const {images} = await pipeline.generate({
      prompt: 'a photo of a lighthouse',
      negativePrompt: 'blurry',
      numInferenceSteps: 8,
      guidanceScale: 5,
      seed: 7,
      height: 64,
      width: 72,
      outputType: 'latent',
      ...options,
    });
    const error = relativeError(images[0]!.latents.data, expected[name]!.data);
    t.true(error <= 1e-3, `${name}: ${error}`);
    t.log(`${name}: ${error.toExponential(1)}`);
  }
  await pipeline.dispose();
});
