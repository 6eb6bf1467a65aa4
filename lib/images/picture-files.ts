import {extname} from 'node:path';

/** Of the files that `decodeImage` reads. */
export const pictureEndings = [
  '.png',
  '.jpg',
  '.jpeg',
  '.webp',
  '.gif',
  '.avif',
  '.tif',
  '.tiff',
  '.svg',
] as const;

/** Whether a file is a picture, by its name. */
export function isPictureFile(name: string): boolean {
  return (pictureEndings as readonly string[]).includes(extname(name).toLowerCase());
}
