/**
 * From options to samples: one entry per picture, each with all that is its own.
 */
import {randomInt} from 'node:crypto';
import {ArgumentError, invalidArgument} from '../errors.ts';
import type {ImageInput} from '../images/decode-image.ts';
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

export interface Sample {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** Empty without an adapter that reads it. */
  readonly instruction: string;
  readonly ipAdapterImage: ImageInput | undefined;
  /** Empty where nothing is subtracted. */
  readonly negContentPrompt: string;
  readonly image: ImageInput | LatentsInput | undefined;
  readonly maskImage: ImageInput | undefined;
  readonly seed: number;
  readonly branches: readonly Branch[];
}

/** What the loaded adapter makes of the options. */
export interface AdapterTraits {
  readonly loaded: boolean;
  readonly readsInstruction: boolean;
}

const perSampleOptions = [
  'prompt',
  'negativePrompt',
  'instruction',
  'ipAdapterImage',
  'negContentPrompt',
  'seed',
  'image',
  'maskImage',
] as const;

const everything = 'use everything from the image';

/**
 * @throws ArgumentError for lists of different lengths, and for what the loaded adapter would ignore
 */
export function resolveSamples(options: GenerateOptions, adapter: AdapterTraits): Sample[] {
  checkAdapterOptions(options, adapter);
  const lengths = perSampleOptions.map(name => (Array.isArray(options[name]) ? options[name].length : 1));
  const count = Math.max(...lengths);
  const copies = checkInteger('numImagesPerPrompt', options.numImagesPerPrompt ?? 1, 1);
  const of = <T>(name: string, value: T | readonly T[] | undefined) => perSample(name, value, count);

  const prompts = of('prompt', options.prompt);
  const negativePrompts = of('negativePrompt', options.negativePrompt);
  const instructions = of('instruction', options.instruction);
  const conditions = of<ImageInput>('ipAdapterImage', options.ipAdapterImage);
  const contents = of('negContentPrompt', options.negContentPrompt);
  const images = of<ImageInput | LatentsInput>('image', options.image);
  const masks = of<ImageInput>('maskImage', options.maskImage);
  const seeds = resolveSeeds(options.seed, count, copies);

  return Array.from({length: count * copies}, (_, index): Sample => {
    const entry = Math.floor(index / copies);
    const condition = conditions[entry];
    const reads = adapter.readsInstruction && condition !== undefined;
    const instruction = reads ? checkText('instruction', instructions[entry] ?? everything) : '';
    return {
      prompt: checkText('prompt', prompts[entry]),
      negativePrompt: checkText('negativePrompt', negativePrompts[entry] ?? ''),
      instruction,
      ipAdapterImage: condition,
      negContentPrompt: checkText('negContentPrompt', contents[entry] ?? ''),
      image: images[entry],
      maskImage: masks[entry],
      seed: seeds[index]!,
      branches: resolveBranches(options, instruction, reads),
    };
  });
}

function checkAdapterOptions(options: GenerateOptions, {loaded, readsInstruction}: AdapterTraits): void {
  if (!loaded && options.ipAdapterImage !== undefined) {
    throw new ArgumentError(
      'ipAdapterImage: expected a loaded adapter, but none is. Load the pipeline with an adapter file.',
    );
  }
  if (!readsInstruction && options.instruction !== undefined) {
    throw new ArgumentError(
      'instruction: expected an instruct adapter, but the loaded one would ignore it. ' +
        'Load an IPAdapter-Instruct file, or leave instruction out.',
    );
  }
  for (const name of ['instruction', 'negContentPrompt'] as const) {
    if (options[name] !== undefined && options.ipAdapterImage === undefined) {
      throw new ArgumentError(
        `${name}: expected an ipAdapterImage to take something from, but there is none.`,
      );
    }
  }
}

function resolveBranches(options: GenerateOptions, instruction: string, reads: boolean): Branch[] {
  const asked = checkGuidanceMode(options.guidance ?? (reads ? 'auto' : 'simple'));
  if (!reads && asked === 'three-way') {
    throw new ArgumentError(
      "guidance: 'three-way' expected an instruct adapter and an ipAdapterImage; choose 'simple'.",
    );
  }
  const mode = reads ? resolveGuidanceMode(asked, instruction) : 'simple';
  const scales = {
    guidanceScale: checkFinite('guidanceScale', options.guidanceScale ?? (reads ? 6 : 7.5)),
    instructGuidanceScale: checkFinite('instructGuidanceScale', options.instructGuidanceScale ?? 6),
    imageGuidanceScale: checkFinite('imageGuidanceScale', options.imageGuidanceScale ?? 1),
  };
  const rescale = checkRange('guidanceRescale', options.guidanceRescale ?? 0, 0, 1);
  return guidanceBranches(mode, scales, {keepFull: rescale > 0});
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
