/**
 * From the detector's numbers to boxes (Redmon & Farhadi 2016, YOLO9000, §2, "direct location prediction").
 */
import {boxAnchors, gridSide} from '../models/face/tiny-face-detector.ts';
import type {Detection} from './face.ts';
import type {PaddedSquare} from './padded-square.ts';

/** face-api's. */
const leastScore = 0.5;

/**
 * @param grid [gridSide, gridSide, anchors, 5], as `tinyFaceDetector` gives it for the picture in this square
 * @returns all boxes that are likely enough, many of them of one face
 */
export function decodeDetections(grid: Float32Array, {side, toPicture}: PaddedSquare): Detection[] {
  return Array.from({length: gridSide ** 2 * boxAnchors.length}, (_, index) => {
    const [x, y, width, height, confidence] = [...grid.subarray(index * 5, index * 5 + 5)] as Numbers;
    const cell = Math.floor(index / boxAnchors.length);
    const [anchorWidth, anchorHeight] = boxAnchors[index % boxAnchors.length]!;
    const center = toPicture({
      x: ((cell % gridSide) + sigmoid(x)) / gridSide,
      y: (Math.floor(cell / gridSide) + sigmoid(y)) / gridSide,
    });
    const size = {
      width: (side / gridSide) * anchorWidth * Math.exp(width),
      height: (side / gridSide) * anchorHeight * Math.exp(height),
    };
    const box = {x: center.x - size.width / 2, y: center.y - size.height / 2, ...size};
    return {box, score: sigmoid(confidence)};
  }).filter(({score}) => score > leastScore);
}

type Numbers = [number, number, number, number, number];

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
