/**
 * Face: two pictures of one person; half of the conditions are zoomed on the face (Rowles et al. 2024, §3.4).
 */

import type {Region} from '../../images/crop-image.ts';
import {cropImage} from '../../images/crop-image.ts';
import type {RgbImage} from '../../images/image.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import type {Builder, BuiltSample, LeftOut} from '../builder.ts';
import {type Captioner, captionOf, noCaption} from '../captions.ts';
import {groupBy} from '../group-by.ts';
import {type Pair, pairs} from '../pairs.ts';
import {isPicture, loadPicture, pictureFilters, shrinkTo} from '../pictures.ts';
import type {FaceLandmarks, FacePicture} from '../sources/celeba.ts';

/** Finds the landmarks of a picture's surest face. */
export type FaceLocator = (
  picture: RgbImage,
  signal: AbortSignal | undefined,
) => Promise<FaceLandmarks | undefined>;

export interface FaceOptions {
  readonly pictures: readonly FacePicture[];
  readonly size: number;
  readonly seed: number;
  readonly captioner?: Captioner | undefined;
  /** For pictures without landmarks; where it is missing they are never zoomed. */
  readonly locator?: FaceLocator | undefined;
}

/** The zoomed square's side, in distances from the eyes to the mouth: from the hair to the chin. */
const zoomedDistances = 3;

export function faceBuilder({
  pictures,
  size,
  seed,
  captioner,
  locator,
}: FaceOptions): Builder<Pair<FacePicture>> {
  return {
    task: 'face',
    description:
      'Of two pictures of one person: one is the condition, half of the time zoomed on the face, the other the target.',
    filters: [
      ...pictureFilters,
      'persons with a single picture',
      'pictures without a caption',
      ...(locator === undefined ? [] : ['conditions to zoom in which no face is found']),
    ],
    batchSize: 1,
    drafts: () => pairs(groupBy(pictures, ({person}) => person).values(), seed),
    make: (batch, signal) => Promise.all(batch.map(item => make(item.draft, item.seed, signal))),
  };

  async function make(
    pair: Pair<FacePicture>,
    sampleSeed: number,
    signal: AbortSignal | undefined,
  ): Promise<BuiltSample | LeftOut> {
    const [shown, other] = await Promise.all([loadPicture(pair.target), loadPicture(pair.condition)]);
    if (!isPicture(shown)) return shown;
    if (!isPicture(other)) return other;
    const [chance] = new TorchGenerator(sampleSeed).rand([1]);
    const condition = chance! < 0.5 ? await zoomed(other.image, pair.condition, signal) : other.image;
    if (condition === undefined) return {leftOut: 'no face found', detail: pair.condition.name};
    const target = await shrinkTo(shown.image, size);
    const prompt = await captionOf(target, shown.caption, captioner, signal);
    if (prompt === undefined) return noCaption;
    return {
      fields: {prompt, ...(other.caption !== undefined && {conditionPrompt: other.caption})},
      target,
      condition: await shrinkTo(condition, size),
      sources: [shown.credit, other.credit],
    };
  }

  async function zoomed(
    image: RgbImage,
    {landmarks}: FacePicture,
    signal: AbortSignal | undefined,
  ): Promise<RgbImage | undefined> {
    if (landmarks === undefined && locator === undefined) return image;
    const points = landmarks ?? (await locator?.(image, signal));
    return points === undefined ? undefined : cropImage(image, faceBox(points, image));
  }
}

/** A square around a face, moved and shrunk as far as the picture asks for. */
export function faceBox(
  landmarks: FaceLandmarks,
  {width, height}: Pick<RgbImage, 'width' | 'height'>,
): Region {
  const [leftEye, rightEye, , leftMouth, rightMouth] = landmarks;
  const eyes = between(leftEye!, rightEye!);
  const mouth = between(leftMouth!, rightMouth!);
  const [x, y] = between(eyes, mouth);
  const distance = Math.max(
    Math.hypot(eyes[0] - mouth[0], eyes[1] - mouth[1]),
    // Of a face in profile the eyes are near each other, of one that looks down they are near the mouth.
    Math.hypot(leftEye![0] - rightEye![0], leftEye![1] - rightEye![1]),
  );
  const side = Math.max(1, Math.min(Math.round(zoomedDistances * distance), width, height));
  const place = (center: number, extent: number) =>
    Math.min(Math.max(Math.round(center - side / 2), 0), extent - side);
  return {left: place(x, width), top: place(y, height), width: side, height: side};
}

type Point = FaceLandmarks[number];

function between([ax, ay]: Point, [bx, by]: Point): Point {
  return [(ax + bx) / 2, (ay + by) / 2];
}
