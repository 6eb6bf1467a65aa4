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
import {allChunks, type RowText, type TextReading} from './row-texts.ts';
import type {Row, TokenSource} from './rows.ts';
import {weighTokens} from './token-weights.ts';
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

export interface ConditioningOptions extends RunOptions, TextReading {
  readonly fit?: ImageFit | undefined;
  readonly padColor?: Color | undefined;
  readonly background?: Color | undefined;
  readonly unconditionalImage?: UnconditionalImage | undefined;
  readonly negContentScale: number;
  readonly onWarning: (message: string) => void;
}

export interface Conditioning {
  /** [1, tokens, C] for each row; equal in tokens for the rows of a sample. */
  readonly textStates: readonly HostTensor[];
  /** [rows, tokens, C] for each slot of conditions. */
  readonly imageTokens: readonly HostTensor[];
}

/** @param texts those of the rows */
export async function encodeConditioning(
  models: ConditioningModels,
  rows: readonly Row[],
  texts: readonly RowText[],
  options: ConditioningOptions,
): Promise<Conditioning> {
  const {textEncoder, adapters} = models;
  const isPlain = options.promptSyntax === 'plain';
  const cut = new Set([...(isPlain ? rows.map(row => row.text) : []), ...adapterTexts(models, rows)]);
  for (const text of cut)
    warnIfCut(textEncoder, text, options.onWarning, isPlain ? 'text encoder' : 'adapter');
  const chunks = encodedChunks(models, rows, texts);
  const lastStates = await encodeChunks(textEncoder, chunks.last, 0, options);
  const skippedStates = await encodeChunks(textEncoder, chunks.skipped, options.clipSkip, options);
  const textStates = texts.map(text => statesOf(text, text.clipSkip === 0 ? lastStates : skippedStates));
  const imageTokens: HostTensor[] = [];
  for (const [slot, adapter] of adapters.entries()) {
    const sources = sourcesOf(rows, slot);
    imageTokens.push(await encodeImageTokens(textEncoder, adapter, lastStates, sources, options));
  }
  return {textStates, imageTokens};
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

/** Chunks of which a generation reads the base model's hidden states, each once. */
export interface EncodedChunks {
  /** Of the last layer: they are encoded together. */
  readonly last: readonly Int32Array[];
  /** Of the layer that `clipSkip` ends with, if that is another. */
  readonly skipped: readonly Int32Array[];
}

/** @param texts those of the rows */
export function encodedChunks(
  models: ConditioningModels,
  rows: readonly Row[],
  texts: readonly RowText[],
): EncodedChunks {
  const chunksOf = (some: readonly RowText[]) => some.flatMap(allChunks);
  const {tokenizer} = models.textEncoder;
  const read = adapterTexts(models, rows).map(text => tokenizer.encode(text).inputIds);
  return {
    last: distinctChunks([...chunksOf(texts.filter(({clipSkip}) => clipSkip === 0)), ...read]),
    skipped: distinctChunks(chunksOf(texts.filter(({clipSkip}) => clipSkip > 0))),
  };
}

/**
 * What adapters read by the base model's text encoder, of the last layer, one chunk each: as they were trained, whatever
 * the UNet is given.
 */
function adapterTexts({textEncoder, adapters}: ConditioningModels, rows: readonly Row[]): string[] {
  return adapters.flatMap(({adapter, instructionEncoder}, slot) => {
    const sources = sourcesOf(rows, slot);
    const readsInstruction = adapter.readsInstruction && instructionEncoder.readsLastStatesOf(textEncoder);
    return [
      ...(adapter.readsPrompt ? sources.map(source => source.prompt) : []),
      ...(readsInstruction ? sources.map(source => source.instruction) : []),
    ];
  });
}

function chunkKey(chunk: Int32Array): string {
  return chunk.join(' ');
}

function distinctChunks(chunks: readonly Int32Array[]): Int32Array[] {
  return [...new Map(chunks.map(chunk => [chunkKey(chunk), chunk])).values()];
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

/** Of distinct chunks, of which there may be none; found again by {@link chunkKey}. */
async function encodeChunks(
  encoder: TextEncoder,
  chunks: readonly Int32Array[],
  clipSkip: number,
  options: ConditioningOptions,
): Promise<Encoded<string>> {
  if (chunks.length === 0) return new Encoded([], {shape: [0], data: new Float32Array()});
  return new Encoded(chunks.map(chunkKey), await encoder.encodeTokens(chunks, clipSkip, options));
}

/**
 * The states of a text's chunks along the tokens: [1, tokens, C]. Padding has no part in its weights, so that they do the
 * same whatever stands beside the text.
 */
function statesOf({chunks, weights, padding}: RowText, encoded: Encoded<string>): HostTensor {
  const own = encoded.rowsFor(chunks.map(chunkKey));
  const weighed = {shape: own.shape, data: weighTokens(own.data, weights)};
  const {shape, data} =
    padding.length > 0 ? stackRows([weighed, encoded.rowsFor(padding.map(chunkKey))]) : weighed;
  const [count, tokens, width] = shape as [number, number, number];
  return {shape: [1, count * tokens, width], data};
}

function warnIfCut(
  encoder: TextEncoder,
  text: string,
  onWarning: (message: string) => void,
  reader = 'text encoder',
): void {
  const {truncated, tokenCount, inputIds} = encoder.tokenizer.encode(text);
  if (truncated === undefined) return;
  onWarning(
    `text of ${tokenCount} tokens: the ${reader} reads ${inputIds.length - 2} and ignores this part: '${truncated}'.`,
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
  const lastStatesFor = (texts: readonly string[]) =>
    lastStates.rowsFor(texts.map(text => chunkKey(textEncoder.tokenizer.encode(text).inputIds)));
  const encodedInstructions = () =>
    instructionEncoder.readsLastStatesOf(textEncoder)
      ? lastStatesFor(instructions)
      : encodeInstructions(instructionEncoder, instructions, options);
  const prompts = distinct.values.map(source => source.prompt);
  const tokens = await adapter.tokens(
    {
      image,
      instruction: adapter.readsInstruction ? await encodedInstructions() : undefined,
      prompt: adapter.readsPrompt ? lastStatesFor(prompts) : undefined,
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
