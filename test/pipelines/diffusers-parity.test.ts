import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import type {RawImage} from '../../lib/images/image.ts';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

/** Of the reference's image encoder. */
const imageSize = 224;

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const image = fixture('reference/condition.png');
const maskImage = fixture('pipelines/mask.png');

type Cases = Readonly<Record<string, Partial<GenerateOptions>>>;

async function expectDiffusersLatents(
  t: ExecutionContext,
  file: string,
  models: Omit<LoadOptions, 'model'>,
  cases: Cases,
): Promise<void> {
  const expected = readSafetensors(fixture(file));
  const pipeline = await IPAdapterInstructPipeline.load({model: fixture('reference/model'), ...models});
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
}

test('seeded latents equal those of diffusers’ pipelines', async t => {
  await expectDiffusersLatents(
    t,
    'pipelines/pipelines.safetensors',
    {},
    {
      img2img: {image, strength: 0.6},
      img2img_euler_ancestral: {image, strength: 0.6, scheduler: 'EulerAncestralDiscreteScheduler'},
      inpaint: {image, maskImage},
      inpaint_partial: {image, maskImage, strength: 0.7},
      text2img_rescale: {guidanceRescale: 0.7},
      text2img_clip_skip: {clipSkip: 1},
      text2img_euler_ancestral: {scheduler: 'EulerAncestralDiscreteScheduler'},
    },
  );
});

test('so do those of an image without its content, in all blocks and in InstantStyle’s', async t => {
  const condition = {ipAdapterImage: image, negContentPrompt: 'a lighthouse at dusk'};
  const models = {
    adapter: fixture('reference/ip-adapter.safetensors'),
    imageEncoder: fixture('reference/image_encoder'),
    instructionEncoder: fixture('reference/instruction_encoder'),
  };
  await expectDiffusersLatents(t, 'pipelines/conditioned.safetensors', models, {
    subtracted: {...condition, negContentScale: 0.5, ipAdapterScale: 0.7},
    style: {...condition, ipAdapterScale: blockPreset('instantstyle:style')},
    style_layout: {
      ...condition,
      negContentScale: 0.8,
      ipAdapterScale: blockPreset('instantstyle:style-layout', 0.6),
    },
  });
});

test('so do those of two ControlNets, each with its own span of the steps', async t => {
  const net = fixture('reference/controlnet');
  await expectDiffusersLatents(
    t,
    'pipelines/conditioned.safetensors',
    {controlNets: [net, net]},
    {
      two_controlnets: {
        controlImage: [image, maskImage],
        controlnetConditioningScale: [0.9, 0.4],
        controlGuidanceStart: [0, 0.25],
        controlGuidanceEnd: [0.6, 1],
      },
    },
  );
});

/** The second image of the reference, of the image encoder's size. */
function pattern(side: number): RawImage {
  const data = Uint8Array.from({length: side * side * 3}, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    return (7 * (pixel % side) + 13 * Math.floor(pixel / side) + 29 * channel) % 256;
  });
  return {width: side, height: side, channels: 3, data};
}

/** White on one half. */
function half(isLeft: boolean): RawImage {
  const [width, height] = [72, 64];
  const data = Uint8Array.from({length: width * height}, (_, i) =>
    i % width < width / 2 === isLeft ? 255 : 0,
  );
  return {width, height, channels: 1, data};
}

test('so do those of several images, adapters and regions', async t => {
  const adapter = fixture('reference/ip-adapter.safetensors');
  const models = {adapter, adapters: {second: adapter}, imageEncoder: fixture('reference/image_encoder')};
  const second = pattern(imageSize);
  await expectDiffusersLatents(t, 'pipelines/conditioned.safetensors', models, {
    two_images: {conditions: [{image: [image, second], scale: 0.7}]},
    two_adapters: {
      conditions: [
        {image, scale: 0.7},
        {image: second, adapter: 'second', scale: 0.3},
      ],
    },
    regions: {
      conditions: [
        {image, mask: half(true), scale: 0.7},
        {image: second, mask: half(false), scale: 0.5},
      ],
    },
  });
});
