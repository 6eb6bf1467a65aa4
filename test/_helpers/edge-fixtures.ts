import type {GrayImage, RgbImage} from '../../lib/images/image.ts';
import {bytesOf, readImageFixture} from './image-fixtures.ts';

export interface EdgeCase {
  readonly size: readonly [number, number];
  /** Bytes in base64, as all below. */
  readonly rgb: string;
  readonly luma: string;
  readonly canny: readonly {
    readonly lowThreshold: number;
    readonly highThreshold: number;
    readonly l2Gradient: boolean;
    readonly color: string;
    readonly gray: string;
  }[];
  /** Of the first of `canny`, in colour. */
  readonly scribble: string;
}

/** Pictures, and what OpenCV makes of them. */
export const edgeCases = readImageFixture<{cases: readonly EdgeCase[]}>('opencv-edges.json').cases;

export function grayOf([width, height]: readonly [number, number], base64: string): GrayImage {
  return {width, height, channels: 1, data: bytesOf(base64)};
}

/** The picture in which all channels are those of a grey one. */
export function repeatChannels({width, height, data}: GrayImage): RgbImage {
  return {
    width,
    height,
    data: Uint8Array.from({length: data.length * 3}, (_, i) => data[Math.floor(i / 3)]!),
  };
}
