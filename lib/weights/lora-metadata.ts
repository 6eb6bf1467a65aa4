import {FileError} from '../errors.ts';
import type {LoraModel} from './lora-names.ts';

/** What diffusers writes of PEFT's `LoraConfig` to a safetensors header. */
type AdapterMetadata = {readonly [Key in `${LoraModel}.lora_alpha`]?: number} & {
  /** Alphas of single modules, by the end of their names. */
  readonly [Key in `${LoraModel}.alpha_pattern`]?: Readonly<Record<string, number>>;
} & {
  /** Whether it is a rank-stabilised LoRA. */
  readonly [Key in `${LoraModel}.use_rslora`]?: boolean;
};

/** The factor of a layer's product `up · down`, or undefined where the header does not say. */
export type DeclaredScale = (model: LoraModel, module: string, rank: number) => number | undefined;

/**
 * alpha / rank (Hu et al. 2021, LoRA, §4.1), or alpha / √rank (Kalajdzievski 2023, rsLoRA), from a file's header.
 * @throws FileError where the header's entry is no JSON object.
 */
export function declaredScale(metadata: Readonly<Record<string, string>> = {}, path: string): DeclaredScale {
  const config = parse(metadata['lora_adapter_metadata'] ?? '{}', path);
  return (model, module, rank) => {
    const patterns = Object.entries(config[`${model}.alpha_pattern`] ?? {});
    const own = patterns.find(([pattern]) => `.${module}`.endsWith(`.${pattern}`));
    const alpha = own?.[1] ?? config[`${model}.lora_alpha`];
    if (alpha === undefined) return undefined;
    return alpha / (config[`${model}.use_rslora`] ? Math.sqrt(rank) : rank);
  };
}

function parse(json: string, path: string): AdapterMetadata {
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Told below.
  }
  throw new FileError(
    `${path}: expected a JSON object as lora_adapter_metadata in the header; got something else. ` +
      'Take that entry out of the header, or save the file again.',
  );
}
