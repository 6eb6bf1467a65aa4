import {WeightsError} from '../errors.ts';
import type {StoredTensor, TensorMap, WeightIndex} from './stored-tensor.ts';
import {renameTensors} from './tensor-names.ts';

const UNET_PROCESSOR = /^unet\.(.+\.attn2)\.processor\.(to_[kv]_ip\.weight)$/;

/**
 * Tensors of an IP-Adapter under the names of the published files: `image_proj.*` and
 * `ip_adapter.<n>.to_{k,v}_ip.weight`, where n is the number of the attention in `unet.attn_processors` (odd:
 * cross-attention).
 *
 * Also takes what the published training scripts leave behind (an accelerate checkpoint of the whole training
 * module): `image_proj_model.*`, `adapter_modules.<n>.*`, and, where safetensors dropped those as shared,
 * `unet.<path>.processor.*`; the frozen UNet in such a file is left out.
 * @throws WeightsError where the file holds no adapter.
 */
export function canonicalAdapterTensors({path, tensors}: WeightIndex): Map<string, StoredTensor> {
  const numbers = processorNumbers(tensors);
  const hasModules = [...tensors.keys()].some(name => name.startsWith('adapter_modules.'));
  const renamed = renameTensors(tensors, name => {
    if (/^(image_proj|ip_adapter)\./.test(name)) return name;
    if (name.startsWith('image_proj_model.')) return name.replace('image_proj_model.', 'image_proj.');
    if (/^adapter_modules\.\d+\.to_[kv]_ip\.weight$/.test(name)) {
      return name.replace('adapter_modules.', 'ip_adapter.');
    }
    const [, attention, weight] = UNET_PROCESSOR.exec(name) ?? [];
    return attention === undefined || hasModules
      ? undefined
      : `ip_adapter.${numbers.get(attention)}.${weight}`;
  });
  const has = (prefix: string): boolean => [...renamed.keys()].some(name => name.startsWith(prefix));
  if (has('image_proj.') && has('ip_adapter.')) return renamed;
  const got = [...tensors.keys()].slice(0, 5).join(', ') || 'no tensors';
  throw new WeightsError(
    `${path}: expected an IP-Adapter, that is tensors 'image_proj.*' and 'ip_adapter.*'; got ${got}. ` +
      'Give an adapter file for Stable Diffusion 1.5.',
  );
}

/**
 * Numbers of the cross-attentions in diffusers' order: way down, way up, and the middle last, as the UNet's
 * attributes are declared. Each transformer block has a self-attention (even) before its cross-attention
 * (odd).
 */
function processorNumbers(tensors: TensorMap): Map<string, number> {
  const attentions = new Set([...tensors.keys()].flatMap(name => UNET_PROCESSOR.exec(name)?.[1] ?? []));
  const sorted = [...attentions].sort((a, b) => compareKeys(sortKey(a), sortKey(b)));
  return new Map(sorted.map((attention, i) => [attention, 2 * i + 1]));
}

function sortKey(attention: string): number[] {
  const stage = ['down_blocks', 'up_blocks', 'mid_block'].findIndex(name => attention.startsWith(name));
  return [stage, ...[...attention.matchAll(/\.(\d+)(?=\.)/g)].map(([, number]) => Number(number))];
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((part, i) => part !== b[i]);
  return differs < 0 ? 0 : a[differs]! - (b[differs] ?? -1);
}
