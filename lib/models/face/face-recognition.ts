/**
 * face-api's `FaceRecognitionNet`, which is dlib's `dnn_face_recognition_resnet_model_v1`: a ResNet (He et al. 2015) of 29
 * convolutions that gives a vector by which faces are told apart.
 */
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {add} from '../../nn/layers.ts';
import {fromChannelsFirst} from '../../nn/picture-layout.ts';
import type {Weights} from '../../nn/weights.ts';
import type {FaceNetwork} from './face-network.ts';
import {dense, halve, maxPool, meanOfPixels, relu, scaledConv2d} from './layers.ts';

export const descriptorSize = 128;

/** The blocks by their names, each with its channels; those that go `down` halve height and width. */
const blocks = [
  ...[1, 2, 3].map(index => ({name: `conv32_${index}`, channels: 32, down: false})),
  {name: 'conv64_down', channels: 64, down: true},
  ...[1, 2, 3].map(index => ({name: `conv64_${index}`, channels: 64, down: false})),
  {name: 'conv128_down', channels: 128, down: true},
  ...[1, 2].map(index => ({name: `conv128_${index}`, channels: 128, down: false})),
  {name: 'conv256_down', channels: 256, down: true},
  ...[1, 2].map(index => ({name: `conv256_${index}`, channels: 256, down: false})),
  {name: 'conv256_down_out', channels: 256, down: true},
];

/** Gives float32 [B, 128]. Of two pictures of one person, descriptors lie less than about 0.6 apart (dlib's threshold). */
export const faceRecognition: FaceNetwork = {
  name: 'face_recognition',
  side: 150,
  meanRgb: [122.782, 117.001, 104.298],
  apply: (weights, pictures) => {
    const pixels = fromChannelsFirst(pictures, 'float32');
    const first = scaledConv2d(weights.at('conv32_down'), pixels, 32, {
      kernelSize: 7,
      stride: 2,
      padding: 0,
    });
    let x = relu(maxPool(first, {size: 3, stride: 2, padded: false}));
    for (const {name, channels, down} of blocks) {
      x = (down ? residualDown : residual)(weights.at(name), x, channels);
    }
    const features = meanOfPixels(x);
    return dense(features, weights.tensor('fc', [features.dim(1), descriptorSize]));
  },
};

function residual(weights: Weights, x: Tensor, channels: number): Tensor {
  const hidden = relu(scaledConv2d(weights.at('conv1'), x, channels));
  return relu(add(x, scaledConv2d(weights.at('conv2'), hidden, channels)));
}

/** The shortcut has means of 2x2 pixels; whichever of both is smaller, in pixels or channels, is filled up with zeros. */
function residualDown(weights: Weights, x: Tensor, channels: number): Tensor {
  const hidden = relu(scaledConv2d(weights.at('conv1'), x, channels, {stride: 2, padding: 0}));
  const out = scaledConv2d(weights.at('conv2'), hidden, channels);
  const shortcut = halve(x);
  const shape = out.shape.map((extent, axis) => Math.max(extent, shortcut.dim(axis)));
  return relu(add(filledUp(shortcut, shape), filledUp(out, shape)));
}

/** With zeros at the end of each axis. */
function filledUp(x: Tensor, shape: readonly number[]): Tensor {
  return shape.reduce((padded, extent, axis) => ops.pad(padded, axis, 0, extent - padded.dim(axis)), x);
}
