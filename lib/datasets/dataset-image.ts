/**
 * Pictures of a training set, wherever their bytes lie.
 */
import {FileError} from '../errors.ts';
import {type DecodedImage, decodeImage} from '../images/decode-image.ts';
import {readRangeSync} from '../weights/read-file.ts';
import type {ImageReference} from './dataset-sample.ts';

/** As `readFile` has it: more does not fit a buffer everywhere. */
const maxBytes = 2 ** 31 - 1;

/**
 * The bytes of a sample's picture. The caller's thread waits for the disk.
 *
 * @throws FileError where they cannot be read
 */
export function readDatasetBytes(reference: ImageReference): Uint8Array {
  const {file, part} = reference;
  return readRangeSync(file, size => {
    const {offset: position, length} = part ?? {offset: 0, length: size};
    if (length <= maxBytes) return {position, length};
    throw new FileError(
      `${placeOf(reference)}: expected a picture of at most ${maxBytes} bytes, got ${length}.`,
    );
  });
}

/**
 * The picture of which these are the bytes.
 *
 * @throws FileError where they are none
 */
export function decodeDatasetImage(reference: ImageReference, bytes: Uint8Array): Promise<DecodedImage> {
  return decodeImage(bytes, {name: placeOf(reference)});
}

/**
 * A picture of a sample.
 *
 * @throws FileError where it cannot be read, or is none
 */
export async function readDatasetImage(reference: ImageReference): Promise<DecodedImage> {
  return decodeDatasetImage(reference, readDatasetBytes(reference));
}

function placeOf({file, part}: ImageReference): string {
  return part === undefined ? file : `${file} at byte ${part.offset}`;
}
