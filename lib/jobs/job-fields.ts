/**
 * Jobs as JSON: the options of `generate` under their names, with single values.
 */
import {z} from 'zod';
import {imageFits} from '../images/clip-preprocess.ts';
import type {ImageInput} from '../images/decode-image.ts';
import {type BlockPreset, blockPreset, blockPresets} from '../pipelines/block-presets.ts';
import {imageCombinations} from '../pipelines/combine-images.ts';
import {controlPreprocesses} from '../pipelines/control-preprocess.ts';
import {guidanceModes} from '../pipelines/guidance.ts';
import {promptSyntaxes} from '../pipelines/prompt-chunks.ts';
import {unconditionalKinds} from '../pipelines/unconditional-image.ts';
import type {JobOptions} from './job.ts';

const blocks = z.record(z.string(), z.union([z.number(), z.array(z.number())]));

const preset = z.enum(blockPresets);

/** A preset goes by its name, or by `NAME:SCALE`. */
export const adapterScale = z.union([
  z.number(),
  z.array(z.number()),
  preset.transform(name => blockPreset(name)),
  z.templateLiteral([preset, ':', z.number()]).transform(text => {
    const at = text.lastIndexOf(':');
    return blockPreset(text.slice(0, at) as BlockPreset, Number(text.slice(at + 1)));
  }),
  z.strictObject({
    down: blocks.exactOptional(),
    mid: z.number().exactOptional(),
    up: blocks.exactOptional(),
  }),
]);

const color = z.union([z.string(), z.tuple([z.number(), z.number(), z.number()])]);

function oneOrMore<Field extends z.ZodType>(field: Field) {
  return z.union([field, z.array(field).min(1)]);
}

/** @param image how a picture is written */
export function conditionFields(image: z.ZodType<ImageInput>) {
  return z.strictObject({
    image: oneOrMore(image),
    combine: z.enum(imageCombinations).exactOptional(),
    imageWeights: z.array(z.number()).exactOptional(),
    adapter: z.string().exactOptional(),
    instruction: z.string().exactOptional(),
    negContentPrompt: z.string().exactOptional(),
    scale: adapterScale.exactOptional(),
    start: z.number().exactOptional(),
    end: z.number().exactOptional(),
    mask: image.exactOptional(),
  });
}

/** @param image how a picture is written */
export function jobFields(image: z.ZodType<ImageInput>) {
  const text = z.string();
  const number = z.number();
  return z.strictObject({
    prompt: text,
    negativePrompt: text.exactOptional(),
    promptSyntax: z.enum(promptSyntaxes).exactOptional(),
    ipAdapterImage: image.exactOptional(),
    instruction: text.exactOptional(),
    ipAdapterScale: adapterScale.exactOptional(),
    autoScale: z.boolean().exactOptional(),
    ipAdapterStart: number.exactOptional(),
    ipAdapterEnd: number.exactOptional(),
    negContentPrompt: text.exactOptional(),
    negContentScale: number.exactOptional(),
    conditions: z.array(conditionFields(image)).min(1).exactOptional(),
    fit: z.enum(imageFits).exactOptional(),
    padColor: color.exactOptional(),
    background: color.exactOptional(),
    unconditionalImage: z.union([z.enum(unconditionalKinds), image]).exactOptional(),
    height: z.int().positive().exactOptional(),
    width: z.int().positive().exactOptional(),
    numInferenceSteps: z.int().positive().exactOptional(),
    guidance: z.enum(guidanceModes).exactOptional(),
    guidanceScale: number.exactOptional(),
    instructGuidanceScale: number.exactOptional(),
    imageGuidanceScale: number.exactOptional(),
    guidanceRescale: number.exactOptional(),
    clipSkip: z.int().nonnegative().exactOptional(),
    seed: z.int().nonnegative().exactOptional(),
    scheduler: text.exactOptional(),
    eta: number.exactOptional(),
    image: image.exactOptional(),
    maskImage: image.exactOptional(),
    strength: number.exactOptional(),
    controlImage: oneOrMore(image).exactOptional(),
    controlPreprocess: oneOrMore(z.enum(controlPreprocesses)).exactOptional(),
    controlnetConditioningScale: oneOrMore(number).exactOptional(),
    controlGuidanceStart: oneOrMore(number).exactOptional(),
    controlGuidanceEnd: oneOrMore(number).exactOptional(),
  }) satisfies z.ZodType<JobOptions>;
}
