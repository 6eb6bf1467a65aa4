/**
 * face-api's `TinyFaceDetector`: Tiny YOLO v2 (Redmon & Farhadi 2016, YOLO9000, §2) with separable convolutions, for faces
 * alone.
 */
import type {Tensor} from '../../graph/tensor.ts';
import {fromChannelsFirst} from '../../nn/picture-layout.ts';
import type {Weights} from '../../nn/weights.ts';
import type {FaceNetwork} from './face-network.ts';
import {conv2d, leakyRelu, maxPool, separableConv2d} from './layers.ts';

/** Widths and heights of boxes, in cells, that others are told by: one for each box that a cell can have. */
export const boxAnchors = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const;

/** Cells along each side of a picture. */
export const gridSide = 13;

/** Gives float32 [B, gridSide, gridSide, 5 · anchors]: of each box x, y, width, height and score, before they are decoded. */
export const tinyFaceDetector: FaceNetwork = {
  name: 'tiny_face_detector',
  side: 32 * gridSide,
  meanRgb: [117.001, 114.697, 97.404],
  apply: (weights, pictures) => {
    let x = conv2d(weights.at('conv0'), fromChannelsFirst(pictures, 'float32'), 16, {padding: 0});
    for (const [index, channels] of [32, 64, 128, 256, 512].entries()) {
      x = separableConv2d(weights.at(`conv${index + 1}`), activatedMaxima(x, 2), channels);
    }
    return boxes(weights, activatedMaxima(x, 1));
  },
};

/** The activation grows with x, and so may follow the pool that it stands before in the original, on fewer numbers. */
function activatedMaxima(x: Tensor, stride: number): Tensor {
  return leakyRelu(maxPool(x, {size: 2, stride, padded: true}));
}

function boxes(weights: Weights, x: Tensor): Tensor {
  return conv2d(weights.at('conv8'), x, 5 * boxAnchors.length, {kernelSize: 1});
}
