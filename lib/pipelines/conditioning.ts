/**
 * What the UNet attends to in each row: hidden states of texts, tokens of images. Each distinct text, picture and
 * combination is encoded once.
 */

import type {RunOptions} from '../engine/compiled-function.ts';
import type {ImageFit} from '../images/clip-preprocess.ts';
import type {Color} from '../images/color.ts';
import {decodeImage} from '../images/decode-image.ts';
import {combineImages} from './combine-images.ts';
import type {ImageAdapter} from './components/image-adapter.ts';
import {asItIs, type ImageEncoder} from './components/image-encoder.ts';
import type {InstructionEncoder} from './components/instruction-encoder.ts';
import type {TextEncoder} from './components/text-encoder.ts';
import {subtractContents} from './content-subtraction.ts';
import {gatherRows, type HostTensor, stackRows} from './host-tensor.ts';
import type {Row, TokenSource} from './rows.ts';
import {isNoise, noiseImage, type SourceImage, type UnconditionalImage} from './unconditional-image.ts';

/** The models that conditioning runs. */
export interface ConditioningModels {
  readonly textEncoder: TextEncoder;
  /** One for each slot of conditions. */
  readonly adapters: readonly AdapterModels[];
}

export interface AdapterModels {
  readonly adapter: ImageAdapter;
  readonly imageEncoder: ImageEncoder;
  readonly instructionEncoder: InstructionEncoder;
}

export interface ConditioningOptions extends RunOptions {
  readonly clipSkip: number;
  readonly fit?: ImageFit | undefined;
  readonly padColor?: Color | undefined;
  readonly background?: Color | undefined;
  readonly unconditionalImage?: UnconditionalImage | undefined;
  readonly negContentScale: number;
  readonly onWarning: (message: string) => void;
}

export interface Conditioning {
  /** [rows, tokens, C] */
  readonly encoderHiddenStates: HostTensor;
  /** [rows, tokens, C] for each slot of conditions. */
  readonly imageTokens: readonly HostTensor[];
}

export async function encodeConditioning(
  models: ConditioningModels,
  rows: readonly Row[],
  options: ConditioningOptions,
): Promise<Conditioning> {
  const {textEncoder, adapters} = models;
  const texts = lastStateTexts(models, rows, options.clipSkip);
  const lastStates = await encodeTexts(textEncoder, texts, 0, options);
  const encoderHiddenStates = await encodeRowTexts(textEncoder, lastStates, rows, options);
  const imageTokens: HostTensor[] = [];
  for (const [slot, adapter] of adapters.entries()) {
    const sources = sourcesOf(rows, slot);
    imageTokens.push(await encodeImageTokens(textEncoder, adapter, lastStates, sources, options));
  }
  return {encoderHiddenStates, imageTokens};
}

/** What a slot's tokens are made of, row by row. A sample without an image gets unconditional ones; its scale is 0. */
export function sourcesOf(rows: readonly Row[], slot: number): TokenSource[] {
  return rows.map(({tokens}) => tokens[slot] ?? unconditional);
}

const unconditional: TokenSource = {
  images: undefined,
  imageWeights: [1],
  combine: 'concat',
  content: '',
  instruction: '',
  prompt: '',
};

/** How many images' tokens stand in a row. */
export function imagesInRow(sources: readonly TokenSource[]): number {
  return Math.max(
    ...sources.map(({imageWeights, combine}) => (combine === 'concat' ? imageWeights.length : 1)),
  );
}

/** The distinct texts of which a generation reads the base model's last hidden states: they are encoded together. */
export function lastStateTexts(
  {textEncoder, adapters}: ConditioningModels,
  rows: readonly Row[],
  clipSkip: number,
): string[] {
  const texts = rows.filter(row => clipSkip === 0 || !row.isPrompt).map(row => row.text);
  for (const [slot, {adapter, instructionEncoder}] of adapters.entries()) {
    const sources = sourcesOf(rows, slot);
    // The released adapter was trained on the last hidden state, whatever the UNet is given.
    if (adapter.readsPrompt) texts.push(...sources.map(source => source.prompt));
    if (adapter.readsInstruction && instructionEncoder.readsLastStatesOf(textEncoder)) {
      texts.push(...sources.map(source => source.instruction));
    }
  }
  return [...new Set(texts)];
}

/** Rows of encoded things, found again by what they were made from. */
class Encoded<Key> {
  readonly #keys: readonly Key[];
  readonly #tensor: HostTensor;

  constructor(keys: readonly Key[], tensor: HostTensor) {
    this.#keys = keys;
    this.#tensor = tensor;
  }

  rowsFor(keys: readonly Key[]): HostTensor {
    return gatherRows(
      this.#tensor,
      keys.map(key => this.#keys.indexOf(key)),
    );
  }
}

async function encodeRowTexts(
  encoder: TextEncoder,
  lastStates: Encoded<string>,
  rows: readonly Row[],
  options: ConditioningOptions,
): Promise<HostTensor> {
  const textsOf = (some: readonly Row[]) => some.map(row => row.text);
  if (options.clipSkip === 0) return lastStates.rowsFor(textsOf(rows));
  const prompts = rows.filter(row => row.isPrompt);
  const others = rows.filter(row => !row.isPrompt);
  const skipped = await encodeTexts(encoder, [...new Set(textsOf(prompts))], options.clipSkip, options);
  // Guidance may need no row of either kind.
  const parts = [
    ...(prompts.length > 0 ? [skipped.rowsFor(textsOf(prompts))] : []),
    ...(others.length > 0 ? [lastStates.rowsFor(textsOf(others))] : []),
  ];
  const order = [...prompts, ...others];
  return gatherRows(
    stackRows(parts),
    rows.map(row => order.indexOf(row)),
  );
}

/** Of distinct texts, of which there may be none. */
async function encodeTexts(
  encoder: TextEncoder,
  texts: readonly string[],
  clipSkip: number,
  options: ConditioningOptions,
): Promise<Encoded<string>> {
  for (const text of texts) warnIfCut(encoder, text, options.onWarning);
  if (texts.length === 0) return new Encoded(texts, {shape: [0], data: new Float32Array()});
  return new Encoded(texts, await encoder.encode(texts, clipSkip, options));
}

function warnIfCut(encoder: TextEncoder, text: string, onWarning: (message: string) => void): void {
  const {truncated, tokenCount, inputIds} = encoder.tokenizer.encode(text);
  if (truncated === undefined) return;
  onWarning(
    `text of ${tokenCount} tokens: the text encoder reads ${inputIds.length - 2}; this part is ignored: '${truncated}'.`,
  );
}

async function encodeImageTokens(
  textEncoder: TextEncoder,
  {adapter, imageEncoder, instructionEncoder}: AdapterModels,
  lastStates: Encoded<string>,
  sources: readonly TokenSource[],
  options: ConditioningOptions,
): Promise<HostTensor> {
  const inRow = imagesInRow(sources);
  const single = sources.flatMap(source => separately(source, inRow));
  const distinct = distinctBy(single, source => [
    source.content,
    adapter.readsInstruction ? source.instruction : '',
    adapter.readsPrompt ? source.prompt : '',
    source.combine,
    ...(source.images ?? []),
    ...source.imageWeights,
  ]);
  const features = await encodeFeatures(adapter, imageEncoder, distinct.values, options);
  const contents = distinct.values.map(source => source.content);
  const {encoder: contentEncoder} = instructionEncoder;
  for (const text of new Set(contents)) warnIfCut(contentEncoder, text, options.onWarning);
  const image = await subtractContents(features, contents, contentEncoder, options.negContentScale, options);
  const instructions = distinct.values.map(source => source.instruction);
  const encodedInstructions = () =>
    instructionEncoder.readsLastStatesOf(textEncoder)
      ? lastStates.rowsFor(instructions)
      : encodeInstructions(instructionEncoder, instructions, options);
  const prompts = distinct.values.map(source => source.prompt);
  const tokens = await adapter.tokens(
    {
      image,
      instruction: adapter.readsInstruction ? await encodedInstructions() : undefined,
      prompt: adapter.readsPrompt ? lastStates.rowsFor(prompts) : undefined,
    },
    options,
  );
  const [, each, width] = tokens.shape as [number, number, number];
  const {data} = gatherRows(tokens, distinct.indices);
  return {shape: [sources.length, inRow * each, width], data};
}

/** The images of a source by themselves, if their tokens stand in a row; as many unconditional ones in place of none. */
function separately(source: TokenSource, inRow: number): TokenSource[] {
  if (source.combine !== 'concat') return [source];
  return Array.from({length: inRow}, (_, i) => ({
    ...source,
    images: source.images && [source.images[i]!],
    imageWeights: [source.imageWeights[i] ?? 1],
  }));
}

/** What the adapter reads of each source's images: [sources, …] */
async function encodeFeatures(
  adapter: ImageAdapter,
  encoder: ImageEncoder,
  sources: readonly TokenSource[],
  options: ConditioningOptions,
): Promise<HostTensor> {
  const all = sources.flatMap(({images}): readonly (SourceImage | undefined)[] => images ?? [undefined]);
  const encoded = await encodeImages(adapter, encoder, all, options);
  return stackRows(
    sources.map(({images, imageWeights, combine}) => {
      if (images === undefined) return encoded.rowsFor([undefined]);
      const weighed = weighRows(encoded.rowsFor(images), imageWeights);
      return combine === 'concat' ? weighed : combineImages(weighed, combine);
    }),
  );
}

function weighRows(rows: HostTensor, weights: readonly number[]): HostTensor {
  if (weights.every(weight => weight === 1)) return rows;
  const size = rows.data.length / weights.length;
  return {...rows, data: rows.data.map((value, i) => value * weights[Math.floor(i / size)]!)};
}

async function encodeInstructions(
  encoder: InstructionEncoder,
  instructions: readonly string[],
  options: RunOptions,
): Promise<HostTensor> {
  const distinct = [...new Set(instructions)];
  return new Encoded(distinct, await encoder.encode(distinct, options)).rowsFor(instructions);
}

async function encodeImages(
  adapter: ImageAdapter,
  encoder: ImageEncoder,
  images: readonly (SourceImage | undefined)[],
  options: ConditioningOptions,
): Promise<Encoded<SourceImage | undefined>> {
  const distinct = [...new Set(images)];
  const features: HostTensor[] = [];
  const given: HostTensor[] = [];
  for (const image of distinct) {
    if (image !== undefined) given.push(await pixelValuesOf(image, encoder, options));
  }
  if (given.length > 0) features.push(await encoder.encode(stackRows(given), adapter.features, options));
  if (distinct.includes(undefined)) {
    const own = options.unconditionalImage === 'black' ? 'black' : 'zero';
    features.push(await encoder.unconditional(adapter.features, own, options));
  }
  const keys = [...distinct.filter(image => image !== undefined), undefined];
  return new Encoded(keys, stackRows(features));
}

async function pixelValuesOf(
  image: SourceImage,
  encoder: ImageEncoder,
  {fit, padColor, background, unconditionalImage, onWarning}: ConditioningOptions,
): Promise<HostTensor> {
  if (isNoise(image)) {
    const noise = noiseImage(encoder.config.imageSize, encoder.preprocess, image.noiseSeed);
    return encoder.pixelValues(noise, asItIs);
  }
  const name = image === unconditionalImage ? 'unconditionalImage' : 'ipAdapterImage';
  const decoded = await decodeImage(image, {name, ...(background !== undefined && {background})});
  if (decoded.frames > 1) onWarning(`${name}: of ${decoded.frames} frames only the first is used.`);
  return encoder.pixelValues(decoded, {fit, padColor});
}

interface Distinct<T> {
  readonly values: readonly T[];
  /** For each of the given values its place in `values`. */
  readonly indices: readonly number[];
}

function distinctBy<T>(items: readonly T[], keysOf: (item: T) => readonly unknown[]): Distinct<T> {
  const values: T[] = [];
  const indices = items.map(item => {
    const keys = keysOf(item);
    const known = values.findIndex(value => {
      const others = keysOf(value);
      return others.length === keys.length && others.every((key, i) => key === keys[i]);
    });
    return known >= 0 ? known : values.push(item) - 1;
  });
  return {values, indices};
}
