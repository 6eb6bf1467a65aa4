import {WeightsError} from '../errors.ts';
import type {TensorMap} from './stored-tensor.ts';

/** Base models by the width of the text tokens that their UNets attend to. */
const BASES: Readonly<Record<number, string>> = {
  768: 'Stable Diffusion 1',
  1024: 'Stable Diffusion 2',
  2048: 'Stable Diffusion XL',
};

const CROSS_ATTENTION_DOWN =
  /attn2[._](processor\.)?to_[kv](\.lora_A|\.lora\.down|_lora\.down|\.lora_down)\.weight$/;

/**
 * Refuses LoRAs for other base models, whose layers are in part those of this one.
 * @param textWidth channels of the text tokens that the UNet attends to.
 * @throws WeightsError that names the base model of the file.
 */
export function refuseOtherBase(tensors: TensorMap, textWidth: number, what: string): void {
  const other = nameOther(tensors, textWidth);
  if (other === undefined) return;
  throw new WeightsError(
    `${what}: expected a LoRA for ${nameBase(textWidth)}; got one for ${other}. ` +
      'Give a LoRA that was trained on this base model.',
  );
}

function nameOther(tensors: TensorMap, textWidth: number): string | undefined {
  const names = [...tensors.keys()];
  if (names.some(name => /^(transformer\.|lora_transformer_|lora_unet_(double|single|joint)_)/.test(name))) {
    return 'a diffusion transformer, such as Stable Diffusion 3 or Flux';
  }
  const width = [...tensors].find(([name]) => CROSS_ATTENTION_DOWN.test(name))?.[1].shape[1];
  if (width !== undefined && width !== textWidth) return nameBase(width);
  const hasSecondEncoder = names.some(name => /^(lora_te[12]_|text_encoder_2\.)/.test(name));
  return hasSecondEncoder ? nameBase(2048) : undefined;
}

function nameBase(textWidth: number): string {
  return BASES[textWidth] ?? `a UNet that attends to text of ${textWidth} channels`;
}
