/**
 * Whether a generated picture shows the person of its condition.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {FaceAnalyzer} from '../faces/face-analyzer.ts';
import type {RgbImage} from '../images/image.ts';
import {cosine} from '../metrics/cosine.ts';

/**
 * The cosine between the descriptors of the surest faces of both: about 0.8 to 0.9 for two persons, more for one. 0 for a
 * picture without a face, as it shows nobody; undefined for a condition without one.
 */
export async function scoreIdentity(
  faces: FaceAnalyzer,
  condition: RgbImage,
  picture: RgbImage,
  options: Pick<RunOptions, 'signal'>,
): Promise<number | undefined> {
  const [expected, got] = [
    await identityOf(faces, condition, options),
    await identityOf(faces, picture, options),
  ];
  if (expected === undefined) return undefined;
  return got === undefined ? 0 : cosine(expected, got);
}

async function identityOf(
  faces: FaceAnalyzer,
  image: RgbImage,
  options: Pick<RunOptions, 'signal'>,
): Promise<Float32Array | undefined> {
  const [face] = await faces.detect(image, options);
  return face && faces.identity(image, face, options);
}
