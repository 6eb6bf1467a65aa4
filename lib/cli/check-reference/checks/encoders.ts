/**
 * Cases of the CLIP towers, alone.
 */
import {z} from 'zod';
import {decodeImage} from '../../../images/decode-image.ts';
import type {TextEncoder} from '../../../pipelines/components/text-encoder.ts';
import {type Measurement, measureWhereGiven, moduleTolerance} from '../measurement.ts';
import type {ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';

const textSchema = z.object({texts: z.array(z.string())});
const visionSchema = z.object({image: z.string()});

export async function checkClipText(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {texts} = textSchema.parse(settings);
  const {textEncoder} = (await models.pipeline()).models;
  return checkText(textEncoder, texts, tensors);
}

export async function checkInstructionEncoder(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {texts} = textSchema.parse(settings);
  const encoder = await models.instructionEncoder();
  const embeds = await encoder.embed(texts);
  const pooled = {shape: [embeds.shape[0]!, embeds.shape[2]!], data: embeds.data};
  return [
    ...(await checkText(encoder, texts, tensors)),
    ...measureWhereGiven({text_embeds: pooled}, tensors, moduleTolerance),
  ];
}

async function checkText(
  encoder: TextEncoder,
  texts: readonly string[],
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const ids = texts.flatMap(text => [...encoder.tokenizer.encode(text).inputIds]);
  const inputIds = {shape: [texts.length, ids.length / texts.length], data: Float32Array.from(ids)};
  const hidden = await encoder.encode(texts, 0);
  return [
    ...measureWhereGiven({input_ids: inputIds}, tensors, 0),
    ...measureWhereGiven({last_hidden_state: hidden}, tensors, moduleTolerance),
  ];
}

export async function checkClipVision(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {image} = visionSchema.parse(settings);
  const encoder = await models.imageEncoder();
  const pixels = await encoder.pixelValues(await decodeImage(models.path(image)));
  const outputs = {
    pixel_values: pixels,
    image_embeds: await encoder.encode(pixels, 'embeds'),
    penultimate: await encoder.encode(pixels, 'penultimate'),
    penultimate_zero: await encoder.unconditional('penultimate', 'zero'),
  };
  return measureWhereGiven(outputs, tensors, moduleTolerance);
}
