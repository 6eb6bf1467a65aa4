/**
 * The models at full size, with random weights.
 */
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {vaeDecode} from '../../lib/models/autoencoder-kl.ts';
import {clipText} from '../../lib/models/clip-text.ts';
import {clipVisionPenultimate} from '../../lib/models/clip-vision.ts';
import {adapterKeyValues, imageTokens} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers, unet, unetTextKeyValues, unetTimeProjections} from '../../lib/models/unet.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {PipelineModels} from '../../lib/pipelines/pipeline-models.ts';
import type {BenchCase} from '../bench-case.ts';
import {tracedCase} from '../traced-case.ts';

/** Latents of a picture of 512x512. */
const side = 64;
const textTokens = 77;
const imageTokenCount = 16;

/** Configs of Stable Diffusion 1.5 and its adapter. */
export interface ModelConfigs {
  readonly unet: PipelineModels['denoiser']['config'];
  readonly vae: PipelineModels['vae']['config'];
  readonly text: PipelineModels['textEncoder']['config'];
  readonly vision: NonNullable<PipelineModels['adapter']>['imageEncoder']['config'];
  readonly adapter: NonNullable<PipelineModels['adapter']>['adapter']['description'];
}

function weightsOf(label: string): Weights {
  return new Weights(new RandomWeights(label));
}

type UNetInputs = {
  readonly sample: Tensor;
  readonly timesteps: Tensor;
  readonly encoderHiddenStates: Tensor;
  readonly imageTokens: Tensor;
  readonly imageScales: Tensor;
};

/** One evaluation from latents, timestep and tokens, with everything that PyTorch's forward computes. */
export function unetCases({unet: config}: ModelConfigs, batches: readonly number[] = [1, 2]): BenchCase[] {
  const [weights, adapter] = [weightsOf('unet'), weightsOf('adapter')];
  const layers = crossAttentionLayers(config);
  return batches.map(batch =>
    tracedCase<UNetInputs>({
      name: 'unet',
      shape: `batch ${batch}, ${8 * side}x${8 * side}, ${textTokens} + ${imageTokenCount} tokens`,
      pytorch: {
        kind: 'unet',
        settings: {batch, height: side, width: side, textTokens, imageTokens: imageTokenCount},
      },
      types: () => ({
        sample: {shape: [batch, config.inChannels, side, side], dtype: 'float32'},
        timesteps: {shape: [batch], dtype: 'float32'},
        encoderHiddenStates: {shape: [batch, textTokens, config.crossAttentionDim], dtype: 'float32'},
        imageTokens: {shape: [batch, imageTokenCount, config.crossAttentionDim], dtype: 'float32'},
        imageScales: {shape: [layers.length, batch], dtype: 'float32'},
      }),
      trace: ({sample, timesteps, encoderHiddenStates, imageTokens: tokens, imageScales}, dtype) => {
        const timeProjections = unetTimeProjections(weights, config, timesteps, dtype);
        const textKeyValues = unetTextKeyValues(weights, config, encoderHiddenStates, dtype);
        const keyValues = adapterKeyValues(adapter, layers, tokens, dtype);
        const images = [{keyValues, scales: imageScales}];
        const inputs = {sample, timeProjections, textKeyValues, images};
        return unet(weights, config, inputs, dtype);
      },
    }),
  );
}

export function vaeDecodeCases({vae: config}: ModelConfigs): BenchCase[] {
  const weights = weightsOf('vae');
  return [
    tracedCase<{readonly latents: Tensor}>({
      name: 'vae decode',
      shape: `batch 1, ${8 * side}x${8 * side}`,
      pytorch: {kind: 'vaeDecode', settings: {batch: 1, height: side, width: side}},
      types: () => ({latents: {shape: [1, config.latentChannels, side, side], dtype: 'float32'}}),
      trace: (inputs, dtype) => vaeDecode(weights, config, inputs, dtype),
    }),
  ];
}

/** The image encoder up to what the adapter reads, and the text encoder. */
export function clipCases({text, vision}: ModelConfigs): BenchCase[] {
  const [textWeights, visionWeights] = [weightsOf('text_encoder'), weightsOf('image_encoder')];
  const {numChannels, imageSize} = vision;
  return [
    tracedCase<{readonly pixelValues: Tensor}>({
      name: 'clip vision ViT-H/14',
      shape: `batch 1, ${imageSize}x${imageSize}`,
      pytorch: {kind: 'clipVision', settings: {batch: 1}},
      types: () => ({pixelValues: {shape: [1, numChannels, imageSize, imageSize], dtype: 'float32'}}),
      trace: (inputs, dtype) => clipVisionPenultimate(visionWeights, vision, inputs, dtype),
    }),
    tracedCase<{readonly inputIds: Tensor}>({
      name: 'clip text CLIP-L',
      shape: `batch 1, ${textTokens} tokens`,
      pytorch: {kind: 'clipText', settings: {batch: 1, tokens: textTokens}},
      types: () => ({inputIds: {shape: [1, textTokens], dtype: 'int32'}}),
      trace: (inputs, dtype) => clipText(textWeights, text, inputs, dtype),
    }),
  ];
}

type ProjectionInputs = {readonly image: Tensor; readonly prompt: Tensor; readonly instruction: Tensor};

/** Ours takes and gives float32 whatever the dtype of its products; PyTorch's side is of one dtype throughout. */
export function projectionCases(
  {adapter, text, vision}: ModelConfigs,
  batches: readonly number[] = [1, 2],
): BenchCase[] {
  const weights = weightsOf('adapter');
  const patches = (vision.imageSize / vision.patchSize) ** 2;
  return batches.map(batch =>
    tracedCase<ProjectionInputs>({
      name: 'instruct projection',
      shape: `batch ${batch}, ${1 + patches} image and 2 x ${textTokens} text tokens`,
      pytorch: {kind: 'instructProjection', settings: {batch, textTokens}},
      types: () => {
        const words = {shape: [batch, textTokens, text.hiddenSize], dtype: 'float32'} as const;
        const image = {shape: [batch, 1 + patches, vision.hiddenSize], dtype: 'float32'} as const;
        return {image, prompt: words, instruction: words};
      },
      trace: (inputs, dtype) => imageTokens(weights, adapter, inputs, dtype),
    }),
  );
}
