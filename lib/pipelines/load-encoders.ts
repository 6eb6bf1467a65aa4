/**
 * CLIP's towers from files.
 */
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {parseClipPreprocessConfig} from '../images/clip-preprocess-config.ts';
import {type ClipTextConfig, describeClipTextWeights, parseClipTextConfig} from '../models/clip-text.ts';
import {describeClipVisionWeights, parseClipVisionConfig} from '../models/clip-vision.ts';
import {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {canonicalTextEncoderTensors, canonicalVisionEncoderTensors} from '../weights/component-names.ts';
import {componentPart, isFile, type Part, weightsOf} from './component-part.ts';
import type {ComponentSettings} from './components/component.ts';
import {ImageEncoder} from './components/image-encoder.ts';
import {TextEncoder} from './components/text-encoder.ts';
import {readJson} from './read-json.ts';

/** @throws FileError, WeightsError, ArgumentError where it does not fit, its tokenizer included */
export function loadTextEncoder(
  settings: ComponentSettings,
  label: string,
  part: Part,
  tokenizer: CLIPTokenizer,
): TextEncoder {
  const config = parseClipTextConfig(part.config);
  expectItsTokenizer(label, config, tokenizer);
  return new TextEncoder(
    settings,
    weightsOf(label, part, describeClipTextWeights(config)),
    config,
    tokenizer,
  );
}

/** A CLIP vision model with projection, alone. */
export async function loadImageEncoder(settings: ComponentSettings, folder: string): Promise<ImageEncoder> {
  const part = await componentPart(folder, canonicalVisionEncoderTensors);
  const config = parseClipVisionConfig(part.config);
  const path = join(folder, 'preprocessor_config.json');
  const preprocess = parseClipPreprocessConfig((await isFile(path)) ? await readJson(path) : {}, path);
  if (preprocess.cropSize !== config.imageSize) {
    throw new FileError(
      `${path}: expected pictures of ${config.imageSize} pixels, as the encoder takes, got ${preprocess.cropSize}.`,
    );
  }
  const weights = weightsOf('image_encoder', part, describeClipVisionWeights(config));
  return new ImageEncoder(settings, weights, config, preprocess);
}

/** A CLIP text model that is not the base model's; `tokenizer` is the base model's, for folders that bring none. */
export async function loadInstructionEncoder(
  settings: ComponentSettings,
  folder: string,
  tokenizerFolder: string | undefined,
  tokenizer: CLIPTokenizer,
): Promise<TextEncoder> {
  const part = await componentPart(folder, tensors =>
    canonicalTextEncoderTensors(tensors, {withProjection: tensors.has('text_projection.weight')}),
  );
  const own = (await isFile(join(folder, 'vocab.json'))) && tokenizerFolder === undefined;
  const itsTokenizer = own ? await CLIPTokenizer.load(folder) : tokenizer;
  return loadTextEncoder(settings, 'instruction_encoder', part, itsTokenizer);
}

function expectItsTokenizer(
  label: string,
  {vocabSize, maxPositionEmbeddings}: ClipTextConfig,
  {bosTokenId, eosTokenId, padTokenId, modelMaxLength}: CLIPTokenizer,
): void {
  const greatestId = Math.max(bosTokenId, eosTokenId, padTokenId);
  if (greatestId < vocabSize && modelMaxLength <= maxPositionEmbeddings) return;
  throw new FileError(
    `${label}: expected a tokenizer with ids below ${vocabSize} and texts of at most ${maxPositionEmbeddings} tokens, ` +
      `got special tokens up to ${greatestId} and texts of ${modelMaxLength}. Give the tokenizer of the same model.`,
  );
}
