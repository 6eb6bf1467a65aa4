/**
 * Condition images of a generation: which adapter reads them, how strongly they count and where.
 */
import {ArgumentError, invalidArgument} from '../errors.ts';
import type {ImageInput} from '../images/decode-image.ts';
import {type ImageCombination, imageCombinations} from './combine-images.ts';
import {
  type AdapterScale,
  type Condition,
  checkRange,
  checkText,
  type GenerateOptions,
  perSample,
} from './generate-options.ts';

/** What must be known of a loaded adapter. */
export interface AdapterTraits {
  /** undefined for the pipeline's own, which is taken where none is named. */
  readonly name?: string | undefined;
  readonly readsInstruction: boolean;
}

/** A sample's part of a slot. */
export interface SampleCondition {
  readonly images: readonly ImageInput[];
  readonly imageWeights: readonly number[];
  readonly combine: ImageCombination;
  /** Empty for an adapter that reads none. */
  readonly instruction: string;
  /** Empty where nothing is subtracted. */
  readonly negContentPrompt: string;
}

/** A condition of all samples, or of some. */
export interface ConditionSlot {
  readonly adapter: AdapterTraits;
  readonly scale: AdapterScale | ((step: number, totalSteps: number) => AdapterScale);
  /** Shares of the steps. */
  readonly start: number;
  readonly end: number;
  readonly mask: ImageInput | undefined;
  /** One for each entry of the options' lists; undefined where it has no image. */
  readonly entries: readonly (SampleCondition | undefined)[];
}

/** The paper lowers the trained scale by 20–40 % (§4.1): the middle. */
const defaultScale = 0.7;

const everything = 'use everything from the image';

/** Options that say of the one condition what `conditions` say of each. */
const ownOptions = [
  'ipAdapterImage',
  'instruction',
  'negContentPrompt',
  'ipAdapterScale',
  'ipAdapterStart',
  'ipAdapterEnd',
] as const;

/**
 * @param count entries of the options' lists
 * @throws ArgumentError for what no loaded adapter reads, and scales and spans out of range
 */
export function resolveConditions(
  options: GenerateOptions,
  adapters: readonly AdapterTraits[],
  count: number,
): ConditionSlot[] {
  const {conditions} = options;
  if (options.unconditionalImage !== undefined) checkUnconditional(options, adapters);
  if (conditions === undefined) return ownCondition(options, adapters, count);
  const doubled = ownOptions.find(name => options[name] !== undefined);
  if (doubled !== undefined) {
    throw new ArgumentError(
      `${doubled}: expected it within conditions where these are given, but received both. Move it there.`,
    );
  }
  return conditions.map((condition, index) => {
    const place = `conditions[${index}]`;
    const adapter = adapterNamed(adapters, condition.adapter, place);
    const entry = sampleCondition(condition, adapter, place);
    return {
      adapter,
      scale: condition.scale ?? defaultScale,
      ...spanOf(condition.start, condition.end, `${place}.start`, `${place}.end`),
      mask: condition.mask,
      entries: Array.from({length: count}, () => entry),
    };
  });
}

function checkUnconditional(options: GenerateOptions, adapters: readonly AdapterTraits[]): void {
  if (adapters.length === 0) {
    throw new ArgumentError(
      'unconditionalImage: expected a loaded adapter, but none is. Load the pipeline with an adapter file.',
    );
  }
  if (options.ipAdapterImage === undefined && options.conditions === undefined) {
    throw new ArgumentError(
      'unconditionalImage: expected a condition image that it is the opposite of, but there is none. ' +
        'Give an ipAdapterImage, or conditions.',
    );
  }
}

/** `ipAdapterImage` and what goes with it. */
function ownCondition(
  options: GenerateOptions,
  adapters: readonly AdapterTraits[],
  count: number,
): ConditionSlot[] {
  const own = adapters.find(({name}) => name === undefined);
  checkOwnOptions(options, own);
  const span = spanOf(options.ipAdapterStart, options.ipAdapterEnd, 'ipAdapterStart', 'ipAdapterEnd');
  const images = perSample<ImageInput>('ipAdapterImage', options.ipAdapterImage, count);
  const instructions = perSample('instruction', options.instruction, count);
  const contents = perSample('negContentPrompt', options.negContentPrompt, count);
  if (own === undefined || images.every(image => image === undefined)) return [];
  return [
    {
      adapter: own,
      scale: options.ipAdapterScale ?? defaultScale,
      ...span,
      mask: undefined,
      entries: images.map((image, entry) =>
        image === undefined
          ? undefined
          : {
              images: [image],
              imageWeights: [1],
              combine: 'concat',
              instruction: instructionFor(own, instructions[entry], 'instruction'),
              negContentPrompt: checkText('negContentPrompt', contents[entry] ?? ''),
            },
      ),
    },
  ];
}

function checkOwnOptions(options: GenerateOptions, own: AdapterTraits | undefined): void {
  if (own === undefined && options.ipAdapterImage !== undefined) {
    throw new ArgumentError(
      'ipAdapterImage: expected a loaded adapter, but none is. Load the pipeline with an adapter file.',
    );
  }
  if (options.instruction !== undefined && own?.readsInstruction !== true)
    throw ignoredInstruction('instruction');
  for (const name of ['instruction', 'negContentPrompt'] as const) {
    if (options[name] !== undefined && options.ipAdapterImage === undefined) {
      throw new ArgumentError(
        `${name}: expected an ipAdapterImage to take something from, but there is none.`,
      );
    }
  }
}

function adapterNamed(
  adapters: readonly AdapterTraits[],
  name: string | undefined,
  place: string,
): AdapterTraits {
  const found = adapters.find(adapter => adapter.name === name);
  if (found !== undefined) return found;
  const known = adapters.map(adapter => adapter.name ?? "the pipeline's own").join(', ') || 'none';
  throw new ArgumentError(
    `${place}.adapter: expected a loaded adapter (${known}), got ${name === undefined ? 'no name' : `'${name}'`}. ` +
      'Load the pipeline with its file.',
  );
}

function sampleCondition(condition: Condition, adapter: AdapterTraits, place: string): SampleCondition {
  const images = Array.isArray(condition.image)
    ? (condition.image as readonly ImageInput[])
    : [condition.image as ImageInput];
  if (images.length === 0 || images.some(image => image === undefined)) {
    throw new ArgumentError(`${place}.image: expected a picture, or several, got none.`);
  }
  const {combine = 'concat', imageWeights = images.map(() => 1)} = condition;
  if (!imageCombinations.includes(combine)) {
    throw invalidArgument(`${place}.combine`, `one of ${imageCombinations.join(', ')}`, combine);
  }
  if (imageWeights.length !== images.length || !imageWeights.every(Number.isFinite)) {
    throw invalidArgument(`${place}.imageWeights`, `${images.length} finite numbers`, imageWeights);
  }
  return {
    images,
    imageWeights,
    combine,
    instruction: instructionFor(adapter, condition.instruction, `${place}.instruction`),
    negContentPrompt: checkText(`${place}.negContentPrompt`, condition.negContentPrompt ?? ''),
  };
}

function instructionFor({readsInstruction}: AdapterTraits, given: unknown, name: string): string {
  if (readsInstruction) return checkText(name, given ?? everything);
  if (given !== undefined) throw ignoredInstruction(name);
  return '';
}

function ignoredInstruction(name: string): ArgumentError {
  return new ArgumentError(
    `${name}: expected an instruct adapter, but the loaded one would ignore it. ` +
      'Load an IPAdapter-Instruct file, or leave instruction out.',
  );
}

function spanOf(start = 0, end = 1, startName: string, endName: string) {
  checkRange(startName, start, 0, 1);
  checkRange(endName, end, 0, 1);
  if (start <= end) return {start, end};
  throw new ArgumentError(`${startName}: expected at most ${endName} (${end}) but received ${start}.`);
}
