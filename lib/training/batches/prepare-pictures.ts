/**
 * Pictures of samples, read and brought to what a model takes. Runs in the threads of `PicturePool`, and loads nothing
 * native but sharp.
 */
import {move, transferableSymbol, valueSymbol} from 'piscina';
import {type Bucket, nearestBucket} from '../../datasets/buckets.ts';
import {decodeDatasetImage, readDatasetBytes} from '../../datasets/dataset-image.ts';
import type {ImageReference} from '../../datasets/dataset-sample.ts';
import {FileError, InternalError} from '../../errors.ts';
import {type ClipPreprocessConfig, preprocessForClip} from '../../images/clip-preprocess.ts';
import type {RgbImage} from '../../images/image.ts';
import {coverToTensor} from '../../images/latent-image.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {type EncoderCache, entryPath, readEntry} from './encoder-cache.ts';

/** What a picture becomes. */
export type PictureForm =
  /** float32 [1, 3, H, W], from -1 to 1: it covers the nearest of the sizes, one at least, and its centre is cut out. */
  | {readonly buckets: readonly Bucket[]}
  /** float32 [1, 3, cropSize, cropSize], as an image encoder takes it. */
  | {readonly preprocess: ClipPreprocessConfig};

/** Copied to the thread that does it. Tasks that share an object have one copy. */
export interface PictureTask {
  readonly picture: ImageReference;
  readonly form: PictureForm;
  /** Of the encoder that is to have it. */
  readonly cache?: EncoderCache | undefined;
}

/** A picture for its encoder, with the cache's file that is to have what comes of it; or what the cache has. */
export type PreparedPicture =
  | {readonly pixels: HostTensor; readonly entry: string | undefined}
  | {readonly encoded: ReadonlyMap<string, HostTensor>};

/** @throws InternalError for one that was asked for with a cache */
export function preparedPixels(picture: PreparedPicture): HostTensor {
  if ('pixels' in picture) return picture.pixels;
  throw new InternalError('a picture was prepared without a cache, and came from one.');
}

/** Classes of errors do not pass from thread to thread, so that a picture that cannot be read is a result. */
export interface Unreadable {
  readonly reason: string;
}

/** What `PicturePool` has a thread do: pictures in the order of the tasks, their numbers moved, not copied. */
export async function preparePictures(tasks: readonly PictureTask[]): Promise<unknown> {
  const pictures: (PreparedPicture | Unreadable)[] = [];
  // One after another, so that there is room for large ones.
  for (const task of tasks) pictures.push(await preparePicture(task));
  return move({
    [transferableSymbol]: [...new Set(pictures.flatMap(buffersOf))],
    [valueSymbol]: pictures,
  });
}

function buffersOf(picture: PreparedPicture | Unreadable): ArrayBufferLike[] {
  if ('reason' in picture) return [];
  const tensors = 'pixels' in picture ? [picture.pixels] : [...picture.encoded.values()];
  return tensors.map(({data}) => data.buffer);
}

export async function preparePicture({
  picture,
  form,
  cache,
}: PictureTask): Promise<PreparedPicture | Unreadable> {
  try {
    const bytes = readDatasetBytes(picture);
    const entry = cache && entryPath(cache, bytes);
    const encoded = entry === undefined ? undefined : readEntry(entry);
    if (encoded !== undefined) return {encoded};
    return {pixels: await toPixels(await decodeDatasetImage(picture, bytes), form), entry};
  } catch (error) {
    if (error instanceof FileError) return {reason: error.message};
    throw error;
  }
}

async function toPixels(image: RgbImage, form: PictureForm): Promise<HostTensor> {
  if ('preprocess' in form) {
    const {cropSize} = form.preprocess;
    return {shape: [1, 3, cropSize, cropSize], data: await preprocessForClip(image, form.preprocess)};
  }
  const [width, height] = nearestBucket(form.buckets, image);
  return {shape: [1, 3, height, width], data: await coverToTensor(image, width, height)};
}
