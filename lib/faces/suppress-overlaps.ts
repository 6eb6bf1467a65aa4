/**
 * Non-maximum suppression: of boxes that lie on each other, the surest.
 */
import type {Box, Detection} from './face.ts';

/** face-api's. */
const largestOverlap = 0.4;

/** The surest first. */
export function suppressOverlaps(detections: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const detection of detections.toSorted((a, b) => b.score - a.score)) {
    if (kept.every(({box}) => overlap(box, detection.box) <= largestOverlap)) kept.push(detection);
  }
  return kept;
}

/** Area that both have over area that either has. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}
