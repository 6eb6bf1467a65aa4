import {WeightsError} from '../errors.ts';
import {canonicalTextEncoderTensors, canonicalVaeTensors} from './component-names.ts';
import {ldmUNetToDiffusers} from './ldm-unet-names.ts';
import {isLdmVae} from './ldm-vae-names.ts';
import {
  type ComponentConfig,
  inferTextEncoderConfig,
  inferUNetConfig,
  inferVaeConfig,
} from './single-file-config.ts';
import type {StoredTensor, TensorMap, WeightIndex} from './stored-tensor.ts';
import {tensorsBelow} from './tensor-names.ts';

/**
 * A model of a single-file checkpoint: tensors under diffusers' names, and what its `config.json` would hold.
 */
export interface SingleFileComponent {
  readonly tensors: Map<string, StoredTensor>;
  readonly config: ComponentConfig;
}

/**
 * The models that a single-file checkpoint holds; some come without a VAE, VAE-only files hold nothing else.
 */
export interface SingleFileComponents {
  readonly unet?: SingleFileComponent;
  readonly vae?: SingleFileComponent;
  readonly textEncoder?: SingleFileComponent;
}

const OTHER_MODELS: readonly (readonly [RegExp, string])[] = [
  [/^conditioner\.embedders\.|^model\.diffusion_model\.label_emb\./, 'a Stable Diffusion XL checkpoint'],
  [/^cond_stage_model\.model\./, 'a Stable Diffusion 2 checkpoint'],
  [/(^|\.)joint_blocks\./, 'a Stable Diffusion 3 checkpoint'],
  [/(^|\.)double_blocks\./, 'a FLUX checkpoint'],
  [/^lora_(unet|te)_|\.lora_(up|down|A|B)\./, 'a LoRA'],
  [/^control_model\./, 'a ControlNet'],
];

/** True where a file has the names of the original code, and not of one diffusers component. */
export function isSingleFileCheckpoint({tensors}: WeightIndex): boolean {
  const prefix = /^(model\.diffusion_model|first_stage_model|cond_stage_model|conditioner|model_ema)\./;
  return isLdmVae(tensors) || [...tensors.keys()].some(name => prefix.test(name));
}

/**
 * Splits a single-file Stable Diffusion 1.5 checkpoint into its models. A copy of the UNet under `model_ema.`
 * is left out, as is whatever else training left behind.
 * @throws WeightsError where the file holds another kind of model, naming it.
 */
export function splitSingleFile({path, tensors}: WeightIndex): SingleFileComponents {
  const names = [...tensors.keys()];
  const other = OTHER_MODELS.find(([pattern]) => names.some(name => pattern.test(name)))?.[1];
  if (other) throw unusable(path, other);

  const unet = component(
    tensorsBelow(tensors, 'model.diffusion_model.'),
    ldmUNetToDiffusers,
    inferUNetConfig,
  );
  const vae = component(vaeTensors(tensors), canonicalVaeTensors, inferVaeConfig);
  const textEncoder = component(
    tensorsBelow(tensors, 'cond_stage_model.transformer.'),
    text => canonicalTextEncoderTensors(text, {withProjection: false}),
    inferTextEncoderConfig,
  );
  if (!unet && names.some(name => name.startsWith('model_ema.'))) {
    throw unusable(path, 'only the averaged copy (model_ema) of a UNet, whose names have lost their dots');
  }
  if (!unet && !vae && !textEncoder) {
    throw unusable(path, `tensors such as ${names.slice(0, 5).join(', ') || '(none)'}`);
  }
  return {...(unet && {unet}), ...(vae && {vae}), ...(textEncoder && {textEncoder})};
}

function vaeTensors(tensors: TensorMap): TensorMap {
  return isLdmVae(tensors) ? tensors : tensorsBelow(tensors, 'first_stage_model.');
}

function component(
  tensors: TensorMap,
  canonical: (tensors: TensorMap) => Map<string, StoredTensor>,
  infer: (tensors: TensorMap) => ComponentConfig,
): SingleFileComponent | undefined {
  if (tensors.size === 0) return undefined;
  const renamed = canonical(tensors);
  return {tensors: renamed, config: infer(renamed)};
}

function unusable(path: string, got: string): WeightsError {
  return new WeightsError(
    `${path}: expected a Stable Diffusion 1.5 checkpoint; got ${got}. Give another file.`,
  );
}
