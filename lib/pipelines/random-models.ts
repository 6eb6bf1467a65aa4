/**
 * Models with random weights: the real code at real or small sizes, without a weight file. Pictures are noise.
 */
import {RandomWeights} from '../engine/random-weights.ts';
import {ArgumentError} from '../errors.ts';
import {clipDefaults} from '../images/clip-preprocess.ts';
import {parseAutoencoderKLConfig} from '../models/autoencoder-kl.ts';
import {parseClipTextConfig} from '../models/clip-text.ts';
import {parseClipVisionConfig} from '../models/clip-vision.ts';
import {crossAttentionLayers} from '../models/unet.ts';
import {parseUNetConfig} from '../models/unet-config.ts';
import type {WeightSource} from '../nn/weights.ts';
import {stableDiffusion1SchedulerConfig} from '../schedulers/create-scheduler.ts';
import {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {clipTokenizerFolder} from './clip-vocabulary.ts';
import {componentSettings} from './component-settings.ts';
import {Autoencoder} from './components/autoencoder.ts';
import {Denoiser} from './components/denoiser.ts';
import {ImageAdapter} from './components/image-adapter.ts';
import {ImageEncoder} from './components/image-encoder.ts';
import {InstructionEncoder} from './components/instruction-encoder.ts';
import {TextEncoder} from './components/text-encoder.ts';
import {describeNewAdapter, type ResamplerSizes} from './describe-new-adapter.ts';
import type {RandomOptions} from './load-options.ts';
import type {PipelineModels} from './pipeline-models.ts';

interface Preset {
  readonly unet: object;
  readonly vae: object;
  readonly text: object;
  readonly vision: object;
  readonly resampler: ResamplerSizes;
}

const unetBlocks = {
  down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
};
const vaeBlocks = {
  down_block_types: Array(4).fill('DownEncoderBlock2D'),
  up_block_types: Array(4).fill('UpDecoderBlock2D'),
  latent_channels: 4,
};

/** Sizes of the public models: SD 1.5, CLIP ViT-L/14's text tower, CLIP ViT-H/14's image tower, IP-Adapter+. */
const sd15: Preset = {
  unet: {
    ...unetBlocks,
    sample_size: 64,
    block_out_channels: [320, 640, 1280, 1280],
    layers_per_block: 2,
    attention_head_dim: 8,
    cross_attention_dim: 768,
  },
  vae: {...vaeBlocks, block_out_channels: [128, 256, 512, 512], layers_per_block: 2, sample_size: 512},
  text: {hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12, num_attention_heads: 12},
  vision: {
    hidden_size: 1280,
    intermediate_size: 5120,
    num_hidden_layers: 32,
    num_attention_heads: 16,
    patch_size: 14,
    projection_dim: 1024,
    hidden_act: 'gelu',
  },
  resampler: {dim: 768, heads: 12, dimHead: 64, depth: 4},
};

/** Attention heads are as wide as those of public models, for which CUDA has kernels. */
const tiny: Preset = {
  unet: {
    ...unetBlocks,
    sample_size: 16,
    block_out_channels: [40, 80, 80, 80],
    layers_per_block: 1,
    attention_head_dim: 1,
    cross_attention_dim: 64,
    norm_num_groups: 8,
  },
  vae: {...vaeBlocks, block_out_channels: [16, 32, 32, 64], layers_per_block: 1, norm_num_groups: 8},
  text: {hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 1},
  vision: {
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 3,
    num_attention_heads: 1,
    patch_size: 28,
    projection_dim: 64,
    hidden_act: 'gelu',
  },
  resampler: {dim: 64, heads: 1, dimHead: 64, depth: 2},
};

const presets: Readonly<Record<string, Preset>> = {tiny, sd15};

/** @param weights of the model with a label; by default random numbers, which are made each time that they are read */
export async function randomModels(
  options: RandomOptions,
  weights: (label: string) => WeightSource = label => new RandomWeights(label, {seed: options.seed ?? 0}),
): Promise<PipelineModels> {
  const {size = 'tiny', adapter: kind = 'instruct'} = options;
  const preset = presets[size];
  if (preset === undefined) {
    throw new ArgumentError(
      `size: expected one of ${Object.keys(presets).join(', ')} but received '${size}'.`,
    );
  }
  const settings = componentSettings(options);
  const denoiser = new Denoiser(settings, weights('unet'), parseUNetConfig(preset.unet));
  const tokenizer = await CLIPTokenizer.load(clipTokenizerFolder());
  const text = parseClipTextConfig(preset.text);
  const textEncoder = new TextEncoder(settings, weights('text_encoder'), text, tokenizer);
  const layers = crossAttentionLayers(denoiser.config);
  const vision = parseClipVisionConfig(preset.vision);
  const description = describeNewAdapter(kind, preset.resampler, {
    imageWidth: kind === 'classic' ? vision.projectionDim : vision.hiddenSize,
    textWidth: text.hiddenSize,
    crossAttentionDim: text.hiddenSize,
    attentionLayers: layers.length,
  });
  return {
    engine: settings.engine,
    textEncoder,
    denoiser,
    vae: new Autoencoder(settings, weights('vae'), parseAutoencoderKLConfig(preset.vae)),
    adapter: {
      adapter: new ImageAdapter(settings, weights('adapter'), description, layers),
      imageEncoder: new ImageEncoder(settings, weights('image_encoder'), vision, clipDefaults),
      instructionEncoder: InstructionEncoder.forWidth(textEncoder, text.hiddenSize),
    },
    controlNets: [],
    schedulerConfig: stableDiffusion1SchedulerConfig,
  };
}
