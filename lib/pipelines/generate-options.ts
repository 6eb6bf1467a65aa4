/**
 * What `generate` takes: diffusers' names in camelCase, checked and brought to one form.
 */

import type {ProfileSink} from '../engine/profile.ts';
import {ArgumentError, describeValue, invalidArgument} from '../errors.ts';
import type {ImageFit} from '../images/clip-preprocess.ts';
import type {Color} from '../images/color.ts';
import type {ImageInput} from '../images/decode-image.ts';
import type {RgbImage} from '../images/image.ts';
import type {ImageCombination} from './combine-images.ts';
import type {ControlPreprocess} from './control-preprocess.ts';
import {type GuidanceMode, guidanceModes} from './guidance.ts';
import type {HostTensor} from './host-tensor.ts';
import type {PromptSyntax} from './prompt-chunks.ts';
import type {UnconditionalImage} from './unconditional-image.ts';

/** Latents in place of a picture: float32 [4, height / 8, width / 8] per sample, times the scaling factor. */
export interface LatentsInput {
  readonly latents: Float32Array;
}

/** A control picture in full precision: float32 [3, height, width], from 0 to 1, in the size of the result. */
export interface ControlPixels {
  readonly pixels: Float32Array;
}

/**
 * The adapter's weight: one number; one for each cross-attention of the UNet, in the order of adapter files and of
 * diffusers' `attn_processors`, which is down, up, mid (Stable Diffusion 1.5: 6, 9 and 1); or per block as diffusers names
 * them, where layers not named get 0. `blockPreset` gives those of other programs.
 */
export type AdapterScale =
  | number
  | readonly number[]
  | {
      readonly down?: Readonly<Record<string, number | readonly number[]>>;
      readonly mid?: number;
      readonly up?: Readonly<Record<string, number | readonly number[]>>;
    };

/** What a generation tells on its way, in this order: encoding, each step, then each picture. */
export type GenerateEvent =
  | {readonly type: 'encode'}
  | {
      readonly type: 'step';
      readonly step: number;
      readonly totalSteps: number;
      readonly timestep: number;
      /** What the samples would be without the noise that is still in them, for previews: latents [samples, C, h, w]. */
      readonly predOriginalSample: () => HostTensor;
    }
  | {readonly type: 'decode'; readonly image: number; readonly totalImages: number}
  /** A picture is finished; those after it may still fail, or be aborted. */
  | {
      readonly type: 'picture';
      readonly image: number;
      readonly totalImages: number;
      readonly picture: RgbImage;
      readonly seed: number;
    };

/** A condition image with all that is its own. */
export interface Condition {
  /** Several are read as one. */
  readonly image: ImageInput | readonly ImageInput[];
  /** How. Default: `concat`. */
  readonly combine?: ImageCombination;
  /** Factors of the features of each image. Default: 1. */
  readonly imageWeights?: readonly number[];
  /** Name of the adapter that reads it (`LoadOptions.adapters`). Default: the pipeline's own. */
  readonly adapter?: string;
  /** What to take from it, in words; for instruct adapters. Default: everything. */
  readonly instruction?: string;
  /** As `GenerateOptions.negContentPrompt`. */
  readonly negContentPrompt?: string;
  /** As `GenerateOptions.ipAdapterScale`. */
  readonly scale?: AdapterScale | ((step: number, totalSteps: number) => AdapterScale);
  /** Share of the steps before it starts to count and after which it ends. Defaults: 0 and 1. */
  readonly start?: number;
  readonly end?: number;
  /** Where it counts: white in full, black not at all, grey in between. Stretched to the result's size. */
  readonly mask?: ImageInput;
}

/**
 * Options of a generation. Where a list is taken it has an entry per sample; a single value stands for all.
 * The number of samples is that of the longest list, times `numImagesPerPrompt`.
 */
export interface GenerateOptions {
  readonly prompt: string | readonly string[];
  /** Default: empty. */
  readonly negativePrompt?: string | readonly string[];
  /**
   * How the prompt and the negative prompt are read. `plain`: literally, and cut at 77 tokens with the markers. `weighted`:
   * with weights as AUTOMATIC1111's web UI writes them, `(word)`, `[word]`, `(word:1.3)`, `BREAK`, and in any length, in
   * chunks of 75 tokens; adapters that read the prompt read the first 75 tokens of its words. Default: `plain`.
   */
  readonly promptSyntax?: PromptSyntax;
  /** What to take from the condition image, in words; for instruct adapters. Default: everything. */
  readonly instruction?: string | readonly string[];
  /** The condition image, from which the adapter takes what the instruction names. */
  readonly ipAdapterImage?: ImageInput | readonly ImageInput[];
  /** Default 0.7: the paper lowers the trained scale by 20–40 %. A function gives it per step. */
  readonly ipAdapterScale?: AdapterScale | ((step: number, totalSteps: number) => AdapterScale);
  /**
   * Takes 0.2 off the scale for composition and pose, as released; where layers differ, off the largest, and as much off the
   * others in proportion. Default: true.
   */
  readonly autoScale?: boolean;
  /**
   * What the condition image shows, in words, to take of it the style alone: the text's embedding is subtracted from the
   * image's (InstantStyle). For classic adapters, with the image encoder's text tower as `instructionEncoder`. Default,
   * and where it is empty: nothing is subtracted.
   */
  readonly negContentPrompt?: string | readonly string[];
  /** How much of the text's embedding is subtracted. Default 1. */
  readonly negContentScale?: number;
  /**
   * Several conditions, each with an adapter, an instruction, a weight and a region of its own; all samples share them. In
   * place of `ipAdapterImage`, `instruction`, `negContentPrompt` and `ipAdapterScale`, `-Start` and `-End`.
   */
  readonly conditions?: readonly Condition[];
  /** Share of the steps before the adapter starts and after which it ends. Defaults: 0 and 1. */
  readonly ipAdapterStart?: number;
  readonly ipAdapterEnd?: number;
  /** How a condition image becomes a square. Default: the image encoder's own, `crop`. */
  readonly fit?: ImageFit;
  readonly padColor?: Color;
  /** What shows through transparent pixels of any picture given. Default: white. */
  readonly background?: Color;
  /**
   * What adapters read in the unconditional branch, and so what guidance leads away from; all samples share it. `zero`: the
   * zero tensor (default, as the references). `black`: a black picture. `noise`: one of noise, drawn from the sample's seed,
   * normal with the mean and deviation of the image encoder's preprocessing. Or a picture, the negative image, prepared as
   * condition images are. It needs a condition image, and guidance that runs the branch: three-way guidance does where
   * `imageGuidanceScale` is not 1.
   */
  readonly unconditionalImage?: UnconditionalImage;
  /** Pixels; multiples of 8. Default: the UNet's sample size times 8. */
  readonly height?: number;
  readonly width?: number;
  /** Default 50. */
  readonly numInferenceSteps?: number;
  /** Default `auto` for instruct adapters, `simple` otherwise. */
  readonly guidance?: GuidanceMode;
  /** Default 7.5; with an instruct adapter 6, as released. */
  readonly guidanceScale?: number;
  /** Three-way guidance only; default 6. */
  readonly instructGuidanceScale?: number;
  /** Three-way guidance only; default 1. */
  readonly imageGuidanceScale?: number;
  /** φ of Lin et al. 2023; default 0. */
  readonly guidanceRescale?: number;
  /** Layers of the text encoder to leave out at its end for the prompt. Default 0. */
  readonly clipSkip?: number;
  readonly numImagesPerPrompt?: number;
  /** Noise equals PyTorch's CPU generator with this seed. Default: drawn at random, and reported. */
  readonly seed?: number | readonly number[];
  /** Scheduler name or diffusers class name. Default: the model's own. */
  readonly scheduler?: string;
  /** η of DDIM and of the schedulers that know it. Default 0. */
  readonly eta?: number;
  /** Unit-normal noise [samples, 4, height / 8, width / 8] in place of the seeds' own. */
  readonly latents?: Float32Array;
  /** Image to image: where to start from; with `maskImage`: inpainting. */
  readonly image?: ImageInput | LatentsInput | readonly (ImageInput | LatentsInput)[];
  /** White is painted anew, black is kept. */
  readonly maskImage?: ImageInput | readonly ImageInput[];
  /** Share of the steps that image to image runs. Default 0.8; 1 for inpainting. */
  readonly strength?: number;
  /** One picture for each loaded ControlNet; all samples share it. */
  readonly controlImage?: ImageInput | ControlPixels | readonly (ImageInput | ControlPixels)[];
  /** What is made of a control picture first, in the size of the result. Default: none. */
  readonly controlPreprocess?: ControlPreprocess | readonly ControlPreprocess[];
  readonly controlnetConditioningScale?: number | readonly number[];
  readonly controlGuidanceStart?: number | readonly number[];
  readonly controlGuidanceEnd?: number | readonly number[];
  /**
   * Also gives where in the picture each of the adapter's tokens was attended: `GeneratedImage.attentionMaps`, the softmax
   * weights as means over heads, layers, and those steps in which the condition counts. Pictures keep their bits. Default:
   * false.
   */
  readonly attentionMaps?: boolean;
  /** `pil` decodes to pictures, `latent` stops before the VAE. Default `pil`. */
  readonly outputType?: 'pil' | 'latent';
  readonly signal?: AbortSignal;
  /** Called in the order of the events. */
  readonly onProgress?: (event: GenerateEvent) => void;
  readonly profile?: ProfileSink;
  /** Told of what was ignored or cut, e.g. the end of a plain prompt longer than 77 tokens. Default: `process.emitWarning`. */
  readonly onWarning?: (message: string) => void;
}

/** One entry per sample from a value or a list. */
export function perSample<T>(
  name: string,
  value: T | readonly T[] | undefined,
  count: number,
): (T | undefined)[] {
  const list = Array.isArray(value) ? (value as readonly T[]) : [value as T | undefined];
  if (list.length !== 1 && list.length !== count) {
    throw new ArgumentError(
      `${name}: expected one value or ${count}, one for each sample, but received ${list.length}.`,
    );
  }
  return Array.from({length: count}, (_, sample) => list[list.length === 1 ? 0 : sample]);
}

/** A number within [low, high]. */
export function checkRange(name: string, value: number, low: number, high = Infinity): number {
  if (typeof value !== 'number' || !(value >= low && value <= high)) {
    const range = high === Infinity ? `a number of at least ${low}` : `a number from ${low} to ${high}`;
    throw invalidArgument(name, range, value);
  }
  return value;
}

/** A finite number. */
export function checkFinite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw invalidArgument(name, 'a finite number', value);
  return value;
}

/** An integer of at least `low`. */
export function checkInteger(name: string, value: number, low: number): number {
  if (!Number.isInteger(value) || value < low)
    throw invalidArgument(name, `an integer of at least ${low}`, value);
  return value;
}

export function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidArgument(name, 'a string', value);
  return value;
}

export function checkGuidanceMode(value: unknown): GuidanceMode {
  if (guidanceModes.includes(value as GuidanceMode)) return value as GuidanceMode;
  throw new ArgumentError(
    `guidance: expected one of ${guidanceModes.join(', ')} but received ${describeValue(value)}.`,
  );
}
