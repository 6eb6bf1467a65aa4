/**
 * Pictures of a training set, wherever their bytes lie.
 */
import {FileError} from '../errors.ts';
import {type DecodedImage, decodeImage} from '../images/decode-image.ts';
import {readBytes, withFile} from '../weights/read-file.ts';
import type {ImageReference} from './dataset-sample.ts';

/** As `readFile` has it: more does not fit a buffer everywhere. */
const maxBytes = 2 ** 31 - 1;

/**
 * The bytes of a sample's picture.
 *
 * @throws FileError where they cannot be read
 */
export function readDatasetBytes(reference: ImageReference): Promise<Uint8Array> {
  const {file, part} = reference;
  return withFile(file, (handle, size) => {
    const length = part?.length ?? size;
    if (length > maxBytes) {
      throw new FileError(
        `${placeOf(reference)}: expected a picture of at most ${maxBytes} bytes, got ${length}.`,
      );
    }
    return readBytes(handle, file, part?.offset ?? 0, length);
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
  return decodeDatasetImage(reference, await readDatasetBytes(reference));
}

function placeOf({file, part}: ImageReference): string {
  return part === undefined ? file : `${file} at byte ${part.offset}`;
}
