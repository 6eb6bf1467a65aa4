import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {Face} from '../../lib/faces/face.ts';
import type {Region} from '../../lib/images/crop-image.ts';
import {cropImage} from '../../lib/images/crop-image.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import type {RgbImage} from '../../lib/images/image.ts';

/** What face-api gives; numbers in base64. */
export interface FaceFixture {
  /** By the networks' names. */
  readonly noise: Readonly<Record<string, string>>;
  readonly photograph: {
    /** In face-api's package. */
    readonly file: string;
    readonly region: Region;
    readonly faces: readonly (Face & {readonly descriptor: string})[];
  };
}

const packageFolder = new URL('../../node_modules/@vladmandic/face-api/', import.meta.url);

/** face-api's weights, which the package brings. */
export const faceModels = fileURLToPath(new URL('model', packageFolder));

export const faceFixture: FaceFixture = JSON.parse(
  readFileSync(new URL('../fixtures/models/face/face-api.json', import.meta.url), 'utf8'),
);

/** The part of a photograph in which face-api looked for faces. */
export async function facePhotograph(): Promise<RgbImage> {
  const {file, region} = faceFixture.photograph;
  return cropImage(await decodeImage(fileURLToPath(new URL(file, packageFolder))), region);
}
