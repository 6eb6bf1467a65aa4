import type {Point} from '../faces/face.ts';
import type {FaceAnalyzer} from '../faces/face-analyzer.ts';
import type {FaceLocator} from './tasks/face.ts';

/** Finds the five landmarks that CelebA has by the 68 of an analyzer. */
export function faceLocator(analyzer: FaceAnalyzer): FaceLocator {
  return async (picture, signal) => {
    const [face] = await analyzer.detect(picture, {signal});
    if (face === undefined) return undefined;
    // dlib's order: eyes of six points each from 36 on, the nose's tip, the mouth's corners.
    const parts = [
      [36, 42],
      [42, 48],
      [30, 31],
      [48, 49],
      [54, 55],
    ] as const;
    return parts.map(([begin, end]) => centerOf(face.landmarks.slice(begin, end)));
  };
}

function centerOf(points: readonly Point[]): readonly [number, number] {
  const mean = (coordinate: 'x' | 'y') =>
    points.reduce((sum, point) => sum + point[coordinate], 0) / points.length;
  return [mean('x'), mean('y')];
}
