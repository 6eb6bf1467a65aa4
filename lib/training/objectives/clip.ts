/**
 * CLIP (Radford et al. 2021): both towers, trained on the targets of a training set and their prompts.
 */
import {ArgumentError} from '../../errors.ts';
import {type ClipPreprocessConfig, clipDefaults} from '../../images/clip-preprocess.ts';
import {describeClipTextWeights, endOfTextIndices, parseClipTextConfig} from '../../models/clip-text.ts';
import {describeClipVisionWeights, parseClipVisionConfig} from '../../models/clip-vision.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {CLIPTokenizer} from '../../tokenizer/clip-tokenizer.ts';
import type {TokenizerFiles} from '../../tokenizer/tokenizer-files.ts';
import {tokenizerTexts} from '../../tokenizer/write-tokenizer-files.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';
import {preparedPixels} from '../batches/prepare-pictures.ts';
import {SampleStream} from '../batches/sample-stream.ts';
import {type ClipBatch, clipLoss} from '../contrastive-loss.ts';
import {initialWeights} from '../initial-weights.ts';
import type {Objective} from '../objective.ts';
import {encodedBatches} from './encoded-batches.ts';
import {configText, type ModelConfigJson, type ModelSetup} from './model-setup.ts';
import {readWeights} from './read-weights.ts';

export interface ClipSetup extends ModelSetup {
  /** Of both towers, in transformers' names; what the tokenizer decides is filled in. */
  readonly text: ModelConfigJson;
  readonly vision: ModelConfigJson;
  readonly tokenizer: TokenizerFiles;
  /** Weights of both towers to begin with; without them they are drawn. */
  readonly from?: WeightIndex | undefined;
}

interface Sample {
  readonly pixels: HostTensor;
  readonly prompt: string;
}

/**
 * @throws ArgumentError for configurations that are none, or towers of different projections; WeightsError for weights to
 *   begin with of another
 */
export async function clipObjective(setup: ClipSetup): Promise<Objective<ClipBatch>> {
  const {engine, dtype, dataset, training, from} = setup;
  const tokenizer = new CLIPTokenizer(setup.tokenizer);
  const json = modelConfig(setup, tokenizer);
  const config = {text: parseClipTextConfig(json), vision: parseClipVisionConfig(json)};
  const {text, vision} = config;
  const preprocess = {...clipDefaults, size: vision.imageSize, cropSize: vision.imageSize};
  const shapes = new Map([...describeClipTextWeights(text), ...describeClipVisionWeights(vision)]);
  return {
    engine,
    dtype,
    label: 'clip',
    initial:
      from === undefined
        ? initialWeights(shapes, {seed: training.seed, embeddings: /embedding(\.weight)?$/})
        : await readWeights(shapes, from, 'clip'),
    files: {
      weights: 'model.safetensors',
      companions: new Map([
        ...tokenizerTexts(setup.tokenizer),
        ['config.json', configText(json)],
        ['preprocessor_config.json', configText(preprocessorConfig(preprocess))],
      ]),
    },
    couplesSamples: true,
    lossOf: (weights, batch) => clipLoss(weights, config, batch, dtype),
    openBatches: (state, place) =>
      encodedBatches<ClipBatch, Sample>(
        new SampleStream(
          dataset,
          {
            async prepare({sample: {target, prompt}}, pool) {
              const picture = await pool.run({picture: target, form: {preprocess}});
              return 'reason' in picture ? picture : {pixels: preparedPixels(picture), prompt};
            },
            sizeOf: () => '',
          },
          training,
          state,
        ),
        place,
        samples => {
          const ids = samples.map(({prompt}) => tokenizer.encode(prompt).inputIds);
          const inputIds = new Int32Array(ids.length * tokenizer.modelMaxLength);
          for (const [row, one] of ids.entries()) inputIds.set(one, row * tokenizer.modelMaxLength);
          return {
            pixelValues: stackRows(samples.map(({pixels}) => pixels)),
            inputIds: {shape: [ids.length, tokenizer.modelMaxLength], data: inputIds},
            endIndices: {shape: [ids.length], data: endOfTextIndices(text, ids)},
          };
        },
      ),
  };
}

/** `config.json` of a CLIPModel. */
function modelConfig({text, vision}: ClipSetup, tokenizer: CLIPTokenizer): ModelConfigJson {
  const {projection_dim: projection} = text;
  if (projection !== vision['projection_dim']) {
    throw new ArgumentError(
      `clip: expected one projection_dim for both towers, got ${projection} for texts and ` +
        `${vision['projection_dim']} for pictures.`,
    );
  }
  const {vocabularySize, modelMaxLength, bosTokenId, eosTokenId, padTokenId} = tokenizer;
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: projection,
    text_config: {
      ...text,
      model_type: 'clip_text_model',
      vocab_size: vocabularySize,
      max_position_embeddings: modelMaxLength,
      bos_token_id: bosTokenId,
      eos_token_id: eosTokenId,
      pad_token_id: padTokenId,
    },
    vision_config: {...vision, model_type: 'clip_vision_model'},
  };
}

function preprocessorConfig({
  size,
  cropSize,
  rescaleFactor,
  mean,
  std,
}: ClipPreprocessConfig): ModelConfigJson {
  return {
    image_processor_type: 'CLIPImageProcessor',
    size: {shortest_edge: size},
    crop_size: {height: cropSize, width: cropSize},
    rescale_factor: rescaleFactor,
    image_mean: mean,
    image_std: std,
  };
}
