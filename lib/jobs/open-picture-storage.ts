import {openPictureFolder} from './picture-folder.ts';
import type {PictureStorage} from './picture-storage.ts';
import {openS3Storage} from './s3-storage.ts';

/**
 * @param output a folder, which is made where it is not there, or `s3://BUCKET/PREFIX`
 * @throws FileError where the folder cannot be made; ArgumentError for an S3 that is not named, or has no credentials
 */
export function openPictureStorage(output: string): Promise<PictureStorage> {
  return output.startsWith('s3:') ? openS3Storage(output) : openPictureFolder(output);
}
