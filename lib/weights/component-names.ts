import {isLdmVae, ldmVaeToDiffusers} from './ldm-vae-names.ts';
import type {StoredTensor, TensorMap} from './stored-tensor.ts';
import {renameTensors, tensorsBelow} from './tensor-names.ts';

/** diffusers before 0.15 -> now, within `attentions.<n>.` of the VAE. */
const VAE_ATTENTION: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0',
};

/**
 * Tensors of an AutoencoderKL under diffusers' present names. Takes diffusers' older attention names, which
 * the public SD1.5 files have, and the original (LDM) names of VAE-only files, with or without
 * `first_stage_model.`.
 */
export function canonicalVaeTensors(tensors: TensorMap): Map<string, StoredTensor> {
  const bare = tensorsBelow(tensors, 'first_stage_model.');
  const vae = bare.size > 0 ? bare : tensors;
  if (isLdmVae(vae)) return ldmVaeToDiffusers(vae);
  return renameTensors(vae, name =>
    name.replace(/(?<=\.attentions\.\d+\.)(query|key|value|proj_attn)(?=\.)/, old => VAE_ATTENTION[old]!),
  );
}

/**
 * Tensors of a CLIP text encoder with the `text_model.` prefix, which some files lack. The vision half of a
 * whole CLIP model, the `position_ids` buffer and, unless it is asked for, the projection are left out.
 */
export function canonicalTextEncoderTensors(
  tensors: TensorMap,
  {withProjection}: {readonly withProjection: boolean},
): Map<string, StoredTensor> {
  return renameTensors(tensors, name => {
    if (name === 'text_projection.weight') return withProjection ? name : undefined;
    if (/^(vision_model\.|visual_projection\.|logit_scale$)|(^|\.)position_ids$/.test(name)) return undefined;
    return /^(embeddings|encoder|final_layer_norm)\./.test(name) ? `text_model.${name}` : name;
  });
}

/**
 * Tensors of a CLIP vision encoder with the `vision_model.` prefix, which some files lack, and
 * `visual_projection`. The text half of a whole CLIP model and the `position_ids` buffer are left out.
 */
export function canonicalVisionEncoderTensors(tensors: TensorMap): Map<string, StoredTensor> {
  return renameTensors(tensors, name => {
    if (/^(text_model\.|text_projection\.|logit_scale$)|(^|\.)position_ids$/.test(name)) return undefined;
    return /^(embeddings|encoder|pre_layrnorm|post_layernorm)\./.test(name) ? `vision_model.${name}` : name;
  });
}
