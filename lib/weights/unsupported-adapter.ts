import {WeightsError} from '../errors.ts';
import type {TensorMap} from './stored-tensor.ts';

/** Widths of text tokens, by which base models differ. */
const SDXL_CONTEXT = 2048;
/** Hidden size of ViT-L/14-336, which only Kolors' adapters take. */
const KOLORS_IMAGE_WIDTH = 1024;

/**
 * Refuses adapters for other base models and the face-identity ones, which would need another encoder.
 * @throws WeightsError that names what the file is.
 */
export function refuseOtherAdapter(tensors: TensorMap, crossAttentionDim: number, what: string): void {
  const other = nameOther(tensors, crossAttentionDim);
  if (!other) return;
  throw new WeightsError(
    `${what}: expected an adapter for Stable Diffusion 1.5 on a CLIP image encoder (IP-Adapter, ` +
      `IP-Adapter+, full-face or IPAdapter-Instruct); got ${other}. ` +
      'Give the Stable Diffusion 1.5 file of the adapter.',
  );
}

function nameOther(tensors: TensorMap, crossAttentionDim: number): string | undefined {
  const has = (name: string): boolean => tensors.has(`image_proj.${name}`);
  const names = [...tensors.keys()];
  const isInstruct = has('new_input_layers.0.0.to_q.weight');
  const family = isInstruct ? 'IPAdapter-Instruct' : 'IP-Adapter';

  if (has('proj_out_big.weight') || names.some(name => name.endsWith('.add_k_proj_ip.weight'))) {
    return `an ${family} for Stable Diffusion 3`;
  }
  if (has('perceiver_resampler.proj_in.weight')) {
    return 'an IP-Adapter FaceID Plus, which needs a face recogniser';
  }
  const isIdentityProjection = has('norm.weight') && has('proj.0.weight') && has('proj.2.weight');
  if (isIdentityProjection || names.some(name => /^ip_adapter\..*_lora\./.test(name))) {
    return 'an IP-Adapter FaceID, which needs a face recogniser';
  }
  if (crossAttentionDim !== SDXL_CONTEXT) return undefined;
  const imageWidth = tensors.get('image_proj.proj_in.weight')?.shape[1];
  if (imageWidth === KOLORS_IMAGE_WIDTH) return 'an IP-Adapter for Kolors';
  return `an ${family} for Stable Diffusion XL (text tokens of ${SDXL_CONTEXT} channels)`;
}
