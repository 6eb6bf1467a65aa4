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
 * A picture of a sample.
 *
 * @throws FileError where it cannot be read, or is none
 */
export async function readDatasetImage({file, part}: ImageReference): Promise<DecodedImage> {
  const place = part === undefined ? file : `${file} at byte ${part.offset}`;
  const bytes = await withFile(file, (handle, size) => {
    const length = part?.length ?? size;
    if (length > maxBytes) {
      throw new FileError(`${place}: expected a picture of at most ${maxBytes} bytes, got ${length}.`);
    }
    return readBytes(handle, file, part?.offset ?? 0, length);
  });
  return decodeImage(bytes, {name: place});
}
