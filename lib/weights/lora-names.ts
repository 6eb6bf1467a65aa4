import type {StoredTensor, TensorMap} from './stored-tensor.ts';
import {renameTensors} from './tensor-names.ts';

/** The models that a LoRA changes, under diffusers' names. */
export type LoraModel = 'unet' | 'text_encoder';

/** Names and shapes of the models' weights. */
export type LoraTargets = Readonly<Record<LoraModel, ReadonlyMap<string, readonly number[]>>>;

/** What files call the parts of a layer's update -> what PEFT calls them. */
const PARTS: Readonly<Record<string, string>> = {
  'lora_A.weight': 'lora_A.weight',
  'lora_B.weight': 'lora_B.weight',
  'lora.down.weight': 'lora_A.weight',
  'lora.up.weight': 'lora_B.weight',
  'lora_linear_layer.down.weight': 'lora_A.weight',
  'lora_linear_layer.up.weight': 'lora_B.weight',
  'lora_down.weight': 'lora_A.weight',
  'lora_up.weight': 'lora_B.weight',
  alpha: 'alpha',
};

const KOHYA_PREFIXES: Readonly<Record<LoraModel, string>> = {unet: 'lora_unet_', text_encoder: 'lora_te_'};

/**
 * Tensors of a LoRA file as `<model>.<module>.` with `lora_A.weight` (down), `lora_B.weight` (up) or `alpha`.
 * Takes PEFT's names, both older ones of diffusers (`to_q.lora.down`, and `processor.to_q_lora.down` with or
 * without `unet.`), and those of kohya's trainer (`lora_unet_down_blocks_0_…`, `lora_te_…`). Tensors of no
 * module of `targets` keep their names.
 * @throws WeightsError where a part of a layer is there under two names.
 */
export function canonicalLoraTensors(tensors: TensorMap, targets: LoraTargets): Map<string, StoredTensor> {
  const modules = modulesByAlias(targets);
  return renameTensors(tensors, name => {
    // In `to_q_lora.down.weight` an underscore stands before the part, else a dot.
    const [, alias, part] = /^(.+?)[._]((?:lora[._]|lora_linear_layer\.).+|alpha)$/.exec(name) ?? [];
    const module = modules.get(alias?.replace('.processor.', '.') ?? '');
    const canonical = PARTS[part ?? ''];
    return module === undefined || canonical === undefined ? name : `${module}.${canonical}`;
  });
}

/** The names that files have for a module -> `<model>.<module>`, for linear layers and convolutions. */
function modulesByAlias(targets: LoraTargets): Map<string, string> {
  const modules = new Map<string, string>();
  for (const [model, weights] of Object.entries(targets) as [LoraModel, LoraTargets[LoraModel]][]) {
    for (const [weight, shape] of weights) {
      if (shape.length === 1) continue;
      const module = weight.replace(/\.weight$/, '');
      for (const alias of aliasesOf(model, module)) modules.set(alias, `${model}.${module}`);
    }
  }
  return modules;
}

function aliasesOf(model: LoraModel, module: string): string[] {
  // What `to_out_lora` and, in text encoders, `to_q_lora` stand for.
  const older = module
    .replace(/\.to_out\.0$/, '.to_out')
    .replace(/\.self_attn\.(q|k|v|out)_proj$/, '.self_attn.to_$1');
  const names = [module, older].flatMap(name => [name, name.replace(/^text_model\./, '')]);
  return [
    KOHYA_PREFIXES[model] + module.replaceAll('.', '_'),
    ...names.map(name => `${model}.${name}`),
    ...(model === 'unet' ? names : []),
  ];
}
