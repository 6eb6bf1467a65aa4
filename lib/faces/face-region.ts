/**
 * Which part of a picture a network sees of a face.
 */

import type {Region} from '../images/crop-image.ts';
import type {RgbImage} from '../images/image.ts';
import type {Box, Point} from './face.ts';

/** Where the middle of eyes and mouth stands in the square, and how long it is from eyes to mouth there: dlib's. */
const centre = {x: 0.5, y: 0.43};
const eyesToMouth = 0.45;

/** The square that the recognition network takes, by a face's 68 landmarks. */
export function alignedSquare(landmarks: readonly Point[]): Box {
  const eyes = [mean(landmarks.slice(36, 42)), mean(landmarks.slice(42, 48))];
  const mouth = mean(landmarks.slice(48, 68));
  const [left, right] = eyes.map(eye => Math.hypot(mouth.x - eye.x, mouth.y - eye.y)) as [number, number];
  const side = Math.floor((left + right) / 2 / eyesToMouth);
  const {x, y} = mean([...eyes, mouth]);
  return {
    x: Math.max(x - centre.x * side, 0),
    y: Math.max(y - centre.y * side, 0),
    width: side,
    height: side,
  };
}

/** What of a box lies in the picture, in whole pixels; undefined where nothing does. */
export function visiblePart(box: Box, {width, height}: RgbImage): Region | undefined {
  const [left, top] = [Math.floor(Math.max(box.x, 0)), Math.floor(Math.max(box.y, 0))];
  const region = {
    left,
    top,
    width: Math.floor(Math.min(box.x + box.width, width)) - left,
    height: Math.floor(Math.min(box.y + box.height, height)) - top,
  };
  return region.width > 0 && region.height > 0 ? region : undefined;
}

function mean(points: readonly Point[]): Point {
  const total = points.reduce((sum, point) => ({x: sum.x + point.x, y: sum.y + point.y}));
  return {x: total.x / points.length, y: total.y / points.length};
}
