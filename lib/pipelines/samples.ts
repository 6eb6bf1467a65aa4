/**
 * From options to samples: one entry per picture, each with all that is its own.
 */
import {randomInt} from 'node:crypto';
import {ArgumentError, invalidArgument} from '../errors.ts';
import type {ImageInput} from '../images/decode-image.ts';
import type {ConditionSlot, SampleCondition} from './conditions.ts';
import {
  checkFinite,
  checkGuidanceMode,
  checkInteger,
  checkRange,
  checkText,
  type GenerateOptions,
  type LatentsInput,
  perSample,
} from './generate-options.ts';
import {type Branch, guidanceBranches, resolveGuidanceMode} from './guidance.ts';
import {negativeImages, type SourceImage} from './unconditional-image.ts';

export interface Sample {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** One for each slot of the generation; undefined where the sample has no image there. */
  readonly conditions: readonly (SampleCondition | undefined)[];
  /** What its unconditional branch reads for images; undefined where encoders have that of their own. */
  readonly negativeImage: SourceImage | undefined;
  readonly image: ImageInput | LatentsInput | undefined;
  readonly maskImage: ImageInput | undefined;
  readonly seed: number;
  readonly branches: readonly Branch[];
}

/** The options that a generation takes one by one for each sample; all samples share the others. */
export const perSampleOptions = [
  'prompt',
  'negativePrompt',
  'instruction',
  'ipAdapterImage',
  'negContentPrompt',
  'seed',
  'image',
  'maskImage',
] as const;

/** Entries of the options' lists. */
export function entryCount(options: GenerateOptions): number {
  return Math.max(...perSampleOptions.map(name => (Array.isArray(options[name]) ? options[name].length : 1)));
}

/**
 * @param slots as `resolveConditions` has them
 * @throws ArgumentError for lists of different lengths
 */
export function resolveSamples(options: GenerateOptions, slots: readonly ConditionSlot[]): Sample[] {
  const count = entryCount(options);
  const copies = checkInteger('numImagesPerPrompt', options.numImagesPerPrompt ?? 1, 1);
  const of = <T>(name: string, value: T | readonly T[] | undefined) => perSample(name, value, count);

  const prompts = of('prompt', options.prompt);
  const negativePrompts = of('negativePrompt', options.negativePrompt);
  const images = of<ImageInput | LatentsInput>('image', options.image);
  const masks = of<ImageInput>('maskImage', options.maskImage);
  const seeds = resolveSeeds(options.seed, count, copies);
  const negatives = negativeImages(options.unconditionalImage, seeds);

  return Array.from({length: count * copies}, (_, index): Sample => {
    const entry = Math.floor(index / copies);
    const conditions = slots.map(({entries}) => entries[entry]);
    const instructions = slots.flatMap(({adapter}, slot) =>
      adapter.readsInstruction ? (conditions[slot]?.instruction ?? []) : [],
    );
    return {
      prompt: checkText('prompt', prompts[entry]),
      negativePrompt: checkText('negativePrompt', negativePrompts[entry] ?? ''),
      conditions,
      negativeImage: negatives[index],
      image: images[entry],
      maskImage: masks[entry],
      seed: seeds[index]!,
      branches: resolveBranches(options, instructions),
    };
  });
}

/** @param instructions those that an adapter reads */
function resolveBranches(options: GenerateOptions, instructions: readonly string[]): Branch[] {
  const reads = instructions.length > 0;
  const asked = checkGuidanceMode(options.guidance ?? (reads ? 'auto' : 'simple'));
  if (!reads && asked === 'three-way') {
    throw new ArgumentError(
      "guidance: 'three-way' expected an instruct adapter and an ipAdapterImage; choose 'simple'.",
    );
  }
  const modes = instructions.map(instruction => resolveGuidanceMode(asked, instruction));
  const mode = modes.includes('three-way') ? 'three-way' : 'simple';
  const scales = {
    guidanceScale: checkFinite('guidanceScale', options.guidanceScale ?? (reads ? 6 : 7.5)),
    instructGuidanceScale: checkFinite('instructGuidanceScale', options.instructGuidanceScale ?? 6),
    imageGuidanceScale: checkFinite('imageGuidanceScale', options.imageGuidanceScale ?? 1),
  };
  const rescale = checkRange('guidanceRescale', options.guidanceRescale ?? 0, 0, 1);
  return guidanceBranches(mode, scales, {keepFull: rescale > 0 || options.attentionMaps === true});
}

/** A list has a seed per sample; one seed stands for itself and its successors; none is drawn at random. */
function resolveSeeds(seed: number | readonly number[] | undefined, count: number, copies: number): number[] {
  const total = count * copies;
  if (typeof seed === 'object') {
    if (seed.length === total) return [...seed];
    if (seed.length === count) return seed.flatMap(first => successors(first, copies));
    throw new ArgumentError(
      `seed: expected one seed or ${total}, one for each picture, but received ${seed.length}.`,
    );
  }
  return successors(seed ?? randomInt(2 ** 32), total);
}

function successors(first: number, count: number): number[] {
  if (!Number.isSafeInteger(first) || first < 0) {
    throw invalidArgument('seed', 'an integer from 0 to 2^53 - 1', first);
  }
  return Array.from({length: count}, (_, index) => first + index);
}
