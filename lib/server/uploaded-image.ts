/**
 * Pictures in requests: bytes, never a path or an address.
 */
import {z} from 'zod';
import {FileError} from '../errors.ts';
import {decodeImage} from '../images/decode-image.ts';
import {HttpError} from './http-error.ts';

/** Base64 in JSON, bytes of a form's part. */
export const uploadedImage = z.union([
  z
    .string()
    .refine(isBase64, 'a picture must be its bytes in base64')
    .transform(text => new Uint8Array(Buffer.from(text, 'base64')))
    .meta({contentEncoding: 'base64'}),
  z.instanceof(Uint8Array),
]);

/** Zod's own check repeats a group, which overflows the stack of regular expressions for megabytes. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[\w+/]+={0,2}$/.test(text) && !text.includes('_');
}

/**
 * Decodes a picture to know that it can be: a job with another would fail late, and have its batch made again. The pixels
 * are dropped, since waiting jobs would fill the memory with them.
 *
 * @throws HttpError where it is no picture, or too large
 */
export async function checkUpload(bytes: Uint8Array, maxPixels: number): Promise<void> {
  try {
    await decodeImage(bytes, {name: 'upload', maxPixels});
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new HttpError(400, error.code, error.message, {cause: error});
  }
}
