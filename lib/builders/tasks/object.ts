/**
 * Object: an object that is cut out of a picture and padded with a random colour is the condition, the whole picture the
 * target (Rowles et al. 2024, §3.4).
 */
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {Builder, BuiltSample, LeftOut} from '../builder.ts';
import {type Captioner, captionOf, noCaption} from '../captions.ts';
import {fillOutside} from '../fill-outside.ts';
import {inRounds} from '../in-rounds.ts';
import {cropPadded, isPicture, loadPicture, padToSquare, pictureFilters, shrinkTo} from '../pictures.ts';
import {randomColor} from '../random-color.ts';
import {type CocoObject, type CocoPicture, smallestObject} from '../sources/coco.ts';

/** What is kept of an object's picture: all in its box, or what lies within its outline. */
export const objectCrops = ['box', 'mask'] as const;
/** One of `box` and `mask`. */
export type ObjectCrop = (typeof objectCrops)[number];

export interface ObjectOptions {
  readonly pictures: readonly CocoPicture[];
  readonly crop: ObjectCrop;
  readonly size: number;
  readonly seed: number;
  readonly captioner?: Captioner | undefined;
}

export interface ObjectDraft {
  readonly picture: CocoPicture;
  readonly object: CocoObject;
}

/** Of pictures in which objects are known. */
export function objectBuilder({pictures, crop, size, seed, captioner}: ObjectOptions): Builder<ObjectDraft> {
  return {
    task: 'object',
    description:
      `Of COCO: an object's ${crop === 'box' ? 'box' : 'outline'}, padded to a square with a random colour, is the ` +
      'condition; the picture is the target; the object\'s category takes the place of "object" in instructions.',
    filters: [
      ...pictureFilters,
      `crowds, and objects of less than ${smallestObject} pixels`,
      'pictures without a caption',
    ],
    batchSize: 1,
    drafts: () =>
      inRounds(
        pictures.map(picture => picture.objects.map(object => ({picture, object}))),
        seed,
      ),
    make: (batch, signal) => Promise.all(batch.map(item => make(item.draft, item.seed, signal))),
  };

  async function make(
    {picture, object}: ObjectDraft,
    sampleSeed: number,
    signal: AbortSignal | undefined,
  ): Promise<BuiltSample | LeftOut> {
    const loaded = await loadPicture(picture);
    if (!isPicture(loaded)) return loaded;
    const {image, credit} = loaded;
    const generator = new TorchGenerator(sampleSeed);
    const color = randomColor(generator);
    const cut = crop === 'mask' ? await fillOutside(image, object.outline, color) : image;
    const condition = await shrinkTo(padToSquare(cropPadded(cut, object.box, color), color), size);
    const target = await shrinkTo(image, size);
    const caption = picture.captions[generator.randperm(picture.captions.length)[0] ?? 0];
    const prompt = await captionOf(target, caption, captioner, signal);
    if (prompt === undefined) return noCaption;
    return {
      fields: {prompt, objectName: object.name, conditionPrompt: `a ${object.name}`},
      target,
      condition,
      sources: [credit],
    };
  }
}
