/**
 * A sample's pictures, read and brought to what the encoders take. Runs in the threads of `PicturePool`, and loads nothing
 * native but sharp.
 */
import {type Bucket, nearestBucket} from '../../datasets/buckets.ts';
import {decodeDatasetImage, readDatasetBytes} from '../../datasets/dataset-image.ts';
import type {ImageReference} from '../../datasets/dataset-sample.ts';
import {FileError} from '../../errors.ts';
import {type ClipPreprocessConfig, preprocessForClip} from '../../images/clip-preprocess.ts';
import type {RgbImage} from '../../images/image.ts';
import {coverToTensor} from '../../images/latent-image.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {type EncoderCache, type EncoderCaches, entryPath, readEntry} from './encoder-cache.ts';

/** How pictures are prepared. */
export interface PictureSettings {
  /** Sizes of the targets, one at least, in multiples of 8: each covers the nearest one, and its centre is cut out. */
  readonly buckets: readonly Bucket[];
  /** Of the image encoder. */
  readonly preprocess: ClipPreprocessConfig;
  readonly caches?: EncoderCaches | undefined;
}

/** Copied to the thread that does it. */
export interface PictureTask extends PictureSettings {
  readonly target: ImageReference;
  readonly condition: ImageReference;
}

/** A picture for its encoder, with the cache's file that is to have what comes of it; or what the cache has. */
export type PreparedPicture =
  | {readonly pixels: HostTensor; readonly entry: string | undefined}
  | {readonly encoded: ReadonlyMap<string, HostTensor>};

export interface PreparedPictures {
  /** Pixels: float32 [1, 3, H, W], from -1 to 1. */
  readonly target: PreparedPicture;
  /** Pixels: float32 [1, 3, cropSize, cropSize]. */
  readonly condition: PreparedPicture;
}

/** Classes of errors do not pass from thread to thread, so that a picture that cannot be read is a result. */
export interface UnreadablePictures {
  readonly reason: string;
}

export async function preparePictures(task: PictureTask): Promise<PreparedPictures | UnreadablePictures> {
  const {preprocess, caches} = task;
  try {
    return {
      target: await preparePicture(task.target, caches?.target, image => targetTensor(image, task)),
      condition: await preparePicture(task.condition, caches?.condition, async image => ({
        shape: [1, 3, preprocess.cropSize, preprocess.cropSize],
        data: await preprocessForClip(image, preprocess),
      })),
    };
  } catch (error) {
    if (error instanceof FileError) return {reason: error.message};
    throw error;
  }
}

async function preparePicture(
  reference: ImageReference,
  cache: EncoderCache | undefined,
  toPixels: (image: RgbImage) => Promise<HostTensor>,
): Promise<PreparedPicture> {
  const bytes = await readDatasetBytes(reference);
  const entry = cache && entryPath(cache, bytes);
  const encoded = entry === undefined ? undefined : await readEntry(entry);
  if (encoded !== undefined) return {encoded};
  return {pixels: await toPixels(await decodeDatasetImage(reference, bytes)), entry};
}

async function targetTensor(image: RgbImage, {buckets}: PictureSettings): Promise<HostTensor> {
  const [width, height] = nearestBucket(buckets, image);
  return {shape: [1, 3, height, width], data: await coverToTensor(image, width, height)};
}
