/**
 * Whether a picture that is stored is the one that a job is to have: a worker may have been killed after it stored it.
 */
import sharp from 'sharp';
import {decodeImage} from '../images/decode-image.ts';

/**
 * @param bytes of the picture's file
 * @param identifier what `writeImage` was given
 * @returns its size; undefined where it is another picture, or not whole
 */
export async function storedPicture(
  bytes: Uint8Array,
  identifier: string,
): Promise<{readonly width: number; readonly height: number} | undefined> {
  try {
    const {xmp} = await sharp(bytes).metadata();
    if (xmp?.includes(`<dc:identifier>${identifier}</dc:identifier>`) !== true) return undefined;
    const {width, height} = await decodeImage(bytes);
    return {width, height};
  } catch {
    return undefined;
  }
}
