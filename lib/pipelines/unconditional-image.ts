/**
 * What the adapter reads in the unconditional branch, where no image is: nothing, or a picture to keep away from.
 */
import type {ImageInput} from '../images/decode-image.ts';
import type {RgbImage} from '../images/image.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';

export const unconditionalKinds = ['zero', 'black', 'noise'] as const;
/** What stands in the place of an image; `GenerateOptions.unconditionalImage` says what each is. */
export type UnconditionalKind = (typeof unconditionalKinds)[number];

/** A kind, or a picture. A text that names a kind is never a path. */
export type UnconditionalImage = UnconditionalKind | ImageInput;

export function isUnconditionalKind(image: UnconditionalImage): image is UnconditionalKind {
  return unconditionalKinds.some(kind => kind === image);
}

/** Stands for a picture of noise, which is drawn in the size of the encoder that reads it. */
export interface NoiseInput {
  readonly noiseSeed: number;
}

/** Whatever an image encoder is to read. */
export type SourceImage = ImageInput | NoiseInput;

export function isNoise(image: SourceImage): image is NoiseInput {
  return typeof image === 'object' && image !== null && 'noiseSeed' in image;
}

/**
 * What each sample's unconditional branch reads in the place of its images: `undefined` for what encoders have of their own,
 * the zero tensor and the black picture. Samples of one seed share their noise.
 */
export function negativeImages(
  image: UnconditionalImage | undefined,
  seeds: readonly number[],
): readonly (SourceImage | undefined)[] {
  if (image === 'noise') {
    const noise = new Map(seeds.map(noiseSeed => [noiseSeed, {noiseSeed}]));
    return seeds.map(seed => noise.get(seed)!);
  }
  return seeds.map(() => (image === undefined || isUnconditionalKind(image) ? undefined : image));
}

/** What a picture's values are like, from 0 to 1, channel by channel. */
export interface ColorStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * A square of noise, normal around the encoder's mean colour, a grey, with the encoder's deviation, so that what it reads is
 * unit normal but for the clipping to 0 … 255. The node "IPAdapter Noise" of ComfyUI_IPAdapter_plus calls normal noise
 * `gaussian`; its `fade` and `dissolve` of no picture are uniform, its `shuffle` needs one.
 *
 * The numbers are PyTorch's for `randn(size, size, 3)` with a generator of their own: the latents are those of the same seed
 * without a picture of noise.
 */
export function noiseImage(size: number, {mean, std}: ColorStatistics, seed: number): RgbImage {
  const noise = new TorchGenerator(seed).randn([size, size, 3]);
  const data = Uint8ClampedArray.from(
    noise,
    (value, index) => 255 * (mean[index % 3]! + std[index % 3]! * value),
  );
  return {width: size, height: size, data: new Uint8Array(data.buffer)};
}
