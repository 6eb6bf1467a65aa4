/**
 * A sample's pictures, read and brought to what the encoders take. Runs in the threads of `PicturePool`, and loads nothing
 * native but sharp.
 */
import {readDatasetImage} from '../datasets/dataset-image.ts';
import type {ImageReference} from '../datasets/dataset-sample.ts';
import {FileError} from '../errors.ts';
import {type ClipPreprocessConfig, preprocessForClip} from '../images/clip-preprocess.ts';
import {imageToTensor} from '../images/latent-image.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';

/** Copied to the thread that does it. */
export interface PictureTask {
  readonly target: ImageReference;
  readonly condition: ImageReference;
  /** Side of the target in pixels: a multiple of 8. */
  readonly resolution: number;
  /** Of the image encoder. */
  readonly preprocess: ClipPreprocessConfig;
}

export interface PreparedPictures {
  /** float32 [1, 3, resolution, resolution], from -1 to 1. */
  readonly target: HostTensor;
  /** Pixel values of the image encoder: float32 [1, 3, cropSize, cropSize]. */
  readonly condition: HostTensor;
}

/** Classes of errors do not pass from thread to thread, so that a picture that cannot be read is a result. */
export interface UnreadablePictures {
  readonly reason: string;
}

export async function preparePictures(task: PictureTask): Promise<PreparedPictures | UnreadablePictures> {
  const {resolution, preprocess} = task;
  try {
    const target = await readDatasetImage(task.target);
    const condition = await readDatasetImage(task.condition);
    return {
      target: squareTensor(resolution, await imageToTensor(target, resolution, resolution)),
      condition: squareTensor(preprocess.cropSize, await preprocessForClip(condition, preprocess)),
    };
  } catch (error) {
    if (error instanceof FileError) return {reason: error.message};
    throw error;
  }
}

function squareTensor(side: number, data: Float32Array): HostTensor {
  return {shape: [1, 3, side, side], data};
}
