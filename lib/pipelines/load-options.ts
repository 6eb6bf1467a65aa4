/**
 * What a pipeline is loaded from.
 */
import type {EngineOptions} from '../engine/engine.ts';
import type {DeviceSpec} from '../runtime/device.ts';
import type {ComputeDType} from './compute-dtype.ts';
import type {NewAdapterKind} from './describe-new-adapter.ts';
import type {LoraFile} from './lora-adapters.ts';

/** How a pipeline runs and what is added to its weights, wherever its models come from. */
export interface RunSettings {
  /** `float16` on CUDA alone. Default: `float32` on the processor, `bfloat16` on CUDA. */
  readonly dtype?: ComputeDType;
  /** `auto`, `cpu`, `cuda` or `cuda:N`. Default `auto`: the first CUDA device that can be had, else the processor. */
  readonly device?: DeviceSpec;
  /**
   * Keeps the prepared weights of all models from one generation to the next: for hosts that make many pictures. By
   * default only those of the UNet and of ControlNets stay; encoders and decoder, which run once a picture, prepare
   * theirs layer by layer on the way. That takes two thirds of the memory (with an image encoder of the size of ViT-H),
   * and of each generation the time to prepare these weights anew: about a second, or as long as reading their files
   * takes. Default: on CUDA.
   */
  readonly keepModels?: boolean;
  /**
   * Bytes of encoded prompts, images and instructions that are kept for generations which use them again, the latest of
   * them: for hosts. A prompt of Stable Diffusion 1.5 takes 237 kB, an image of ViT-H/14 1.3 MB. Default: 0.
   */
  readonly encodingCacheBytes?: number;
  /** LoRAs for UNet and text encoder, as `loadLoraWeights` loads them. */
  readonly loras?: readonly LoraFile[];
}

/** The files of a pipeline. */
export interface LoadOptions extends RunSettings {
  /** A diffusers folder (`unet`, `vae`, `text_encoder`, `tokenizer`, `scheduler`), or a single-file SD1.5 checkpoint. */
  readonly model: string;
  /** An IP-Adapter file of any kind, `.safetensors` or `.bin`; needs `imageEncoder`. */
  readonly adapter?: string;
  /** Files of further IP-Adapters by names of one's choice, for `conditions`; they share `imageEncoder`. */
  readonly adapters?: Readonly<Record<string, string>>;
  /** Folder of a CLIP vision model with projection. */
  readonly imageEncoder?: string;
  /**
   * Folder of a CLIP text model for instructions and, with a classic adapter, for `negContentPrompt`. Default: the base
   * model's text encoder.
   */
  readonly instructionEncoder?: string;
  /** Folders of ControlNets. */
  readonly controlNets?: readonly string[];
  /** A VAE (folder or file) in place of the model's own. */
  readonly vae?: string;
  /** Folder with `vocab.json` and `merges.txt`. Default: the model's, or CLIP's. */
  readonly tokenizer?: string;
  /** Attention heads of the adapter's resampler. Default: 64 channels each, as all published adapters. */
  readonly adapterHeads?: number;
}

/** The shapes of a pipeline with random weights. */
export interface RandomOptions extends RunSettings {
  /** `sd15`: the shapes of Stable Diffusion 1.5 and CLIP ViT-H/14; `tiny`: seconds on any machine. Default `tiny`. */
  readonly size?: 'tiny' | 'sd15';
  /** Kind of the adapter. Default `instruct`. */
  readonly adapter?: NewAdapterKind;
  readonly seed?: number;
}

/** The engine's part of the settings: the device decides where nothing is said. */
export function keepOptions({keepModels}: RunSettings): EngineOptions {
  return keepModels === undefined ? {} : {keepsWeights: keepModels};
}
