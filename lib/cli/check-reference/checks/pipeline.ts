/**
 * Whole generations, from noise or from a picture's latents.
 */
import {z} from 'zod';
import type {ControlPixels, GenerateOptions} from '../../../pipelines/generate-options.ts';
import {guidanceModes} from '../../../pipelines/guidance.ts';
import type {HostTensor} from '../../../pipelines/host-tensor.ts';
import {stackRows} from '../../../pipelines/host-tensor.ts';
import type {IPAdapterInstructPipeline} from '../../../pipelines/ip-adapter-instruct-pipeline.ts';
import {beginIndex} from '../../../schedulers/scheduler.ts';
import {defined} from '../../options/parse-values.ts';
import {type Measurement, measureWhereGiven, moduleTolerance, pipelineTolerance} from '../measurement.ts';
import {type ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';
import {referenceScheduler} from './scheduler.ts';

const schema = z.object({
  steps: z.int(),
  scheduler: z.string(),
  height: z.int().optional(),
  width: z.int().optional(),
  prompt: z.string(),
  negative_prompt: z.string().optional(),
  guidance_scale: z.number(),
  guidance: z.enum(guidanceModes).default('simple'),
  guidance_rescale: z.number().optional(),
  instruct_guidance_scale: z.number().optional(),
  image_guidance_scale: z.number().optional(),
  adapter: z.string().nullish(),
  instruction: z.string().optional(),
  image: z.string().optional(),
  scale: z.number().optional(),
  auto_scale: z.boolean().default(false),
  clip_skip: z.int().nullish(),
  eta: z.number().optional(),
  controlnet: z.string().optional(),
  control_image: z.string().optional(),
  control_scale: z.number().optional(),
  strength: z.number().optional(),
});

type Settings = z.output<typeof schema>;

/** From noise; with an adapter once for each of its files. */
export async function checkPipeline(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const parsed = schema.parse(settings);
  const options = {
    ...(await optionsOf(models, parsed, tensors.get('latents'))),
    latents: tensors.get('latents').data,
  };
  return generateWithEachFile(models, parsed, options, tensors);
}

/** From a picture: its latents are the mean of what the VAE gives, so that no noise is drawn. */
export async function checkImageToImage(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const parsed = schema.required({strength: true}).parse(settings);
  const [initLatents, noise] = [tensors.get('init_latents'), tensors.get('noise')];
  const {vae} = (await models.pipeline()).models;
  const {mean} = await vae.encode(tensors.get('image_in'));

  const scheduler = await referenceScheduler(models, parsed.scheduler);
  scheduler.setTimesteps(parsed.steps);
  const begin = beginIndex(scheduler, parsed.strength);
  const noised = {...noise, data: scheduler.addNoise(initLatents.data, noise.data, begin)};

  const options = {
    ...(await optionsOf(models, parsed, initLatents)),
    image: {latents: initLatents.data},
    latents: noise.data,
    strength: parsed.strength,
  };
  return [
    ...measureWhereGiven({init_latents: mean, noised}, tensors, moduleTolerance),
    ...(await generateWithEachFile(models, parsed, options, tensors)),
  ];
}

async function optionsOf(
  models: ReferenceModels,
  settings: Settings,
  latents: HostTensor,
): Promise<GenerateOptions> {
  const {vae} = (await models.pipeline()).models;
  const [height, width] = latents.shape.slice(-2).map(side => side * vae.scaleFactor);
  const {adapter, image, scale, control_image: controlImage} = settings;
  return {
    prompt: settings.prompt,
    numInferenceSteps: settings.steps,
    scheduler: settings.scheduler,
    guidance: settings.guidance,
    guidanceScale: settings.guidance_scale,
    autoScale: settings.auto_scale,
    ...defined({
      height: settings.height ?? height,
      width: settings.width ?? width,
      negativePrompt: settings.negative_prompt,
      guidanceRescale: settings.guidance_rescale,
      instructGuidanceScale: settings.instruct_guidance_scale,
      imageGuidanceScale: settings.image_guidance_scale,
      clipSkip: settings.clip_skip ?? undefined,
      eta: settings.eta,
    }),
    ...(adapter &&
      image !== undefined && {
        ipAdapterImage: models.path(image),
        ...defined({ipAdapterScale: scale, instruction: settings.instruction}),
      }),
    ...(controlImage !== undefined && {
      controlImage: await readControlImage(models.path(controlImage)),
      ...defined({controlnetConditioningScale: settings.control_scale}),
    }),
  };
}

/** A picture file, or the tensor `image` [1, 3, H, W] of a safetensors file. */
async function readControlImage(path: string): Promise<string | ControlPixels> {
  if (!path.endsWith('.safetensors')) return path;
  return {pixels: (await ReferenceTensors.read(path)).get('image').data};
}

async function generateWithEachFile(
  models: ReferenceModels,
  {adapter, controlnet}: Settings,
  options: GenerateOptions,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const controlNets = controlnet === undefined ? [] : [controlnet];
  const measurements: Measurement[] = [];
  for (const adapterFile of adapter ? models.adapterFiles(adapter) : [undefined]) {
    const pipeline = await models.pipeline({adapterFile, controlNets});
    const outputs = measureWhereGiven(await generate(pipeline, options), tensors, pipelineTolerance);
    measurements.push(
      ...outputs.map(result => ({...result, output: [result.output, adapterFile].join(' ').trim()})),
    );
  }
  return measurements;
}

/** Latents, and pictures from 0 to 1. */
async function generate(
  pipeline: IPAdapterInstructPipeline,
  options: GenerateOptions,
): Promise<Record<string, HostTensor>> {
  const {images} = await pipeline.generate(options);
  const pixels = stackRows(images.map(image => image.pixels!));
  const toUnit = (value: number) => Math.min(Math.max(value / 2 + 0.5, 0), 1);
  return {
    final_latents: stackRows(images.map(image => image.latents)),
    image: {...pixels, data: pixels.data.map(toUnit)},
  };
}
