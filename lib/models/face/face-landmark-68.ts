/**
 * face-api's `FaceLandmark68Net`: where the 68 points of a face lie, in dlib's order.
 */
import type {Tensor} from '../../graph/tensor.ts';
import {add, vector} from '../../nn/layers.ts';
import {fromChannelsFirst} from '../../nn/picture-layout.ts';
import type {Weights} from '../../nn/weights.ts';
import type {FaceNetwork} from './face-network.ts';
import {conv2d, dense, meanOfPixels, relu, separableConv2d} from './layers.ts';

export const landmarkCount = 68;

/** Gives float32 [B, 136]: x and y of each point, as shares of the picture's side. */
export const faceLandmark68: FaceNetwork = {
  name: 'face_landmark_68',
  side: 112,
  meanRgb: [122.782, 117.001, 104.298],
  apply: (weights, pictures) => {
    let x = fromChannelsFirst(pictures, 'float32');
    for (const [index, channels] of [32, 64, 128, 256].entries()) {
      const convolution = index === 0 ? conv2d : separableConv2d;
      const block = weights.at(`dense${index}`);
      x = denseBlock(
        block,
        relu(convolution(block.at('conv0'), x, channels, {stride: 2, padding: [0, 0, 1, 1]})),
      );
    }
    const outputs = 2 * landmarkCount;
    const fc = weights.at('fc');
    const features = meanOfPixels(x);
    return dense(features, fc.tensor('weights', [features.dim(1), outputs]), vector(fc, 'bias', outputs));
  },
};

/** Three convolutions, each of what those before it gave in sum: x [B, H, W, C] → [B, H, W, C]. */
function denseBlock(weights: Weights, first: Tensor): Tensor {
  let [sum, x] = [first, first];
  for (const name of ['conv1', 'conv2', 'conv3']) {
    sum = add(sum, separableConv2d(weights.at(name), x, first.dim(3)));
    x = relu(sum);
  }
  return x;
}
