/**
 * Matrix products and convolutions at the shapes of Stable Diffusion 1.5 at 512x512, each as a graph of one op.
 */
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {conv2d, linear} from '../../lib/nn/layers.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {BenchCase} from '../bench-case.ts';
import {tracedCase} from '../traced-case.ts';

const weights = new Weights(new RandomWeights('layer'));

/** Rows, in features, out features: attention and feed-forward of the UNet's levels, then of ViT-H/14 and CLIP-L. */
const linearShapes = [
  [4096, 320, 320],
  [4096, 320, 2560],
  [4096, 1280, 320],
  [1024, 640, 640],
  [1024, 640, 5120],
  [1024, 2560, 640],
  [256, 1280, 1280],
  [256, 1280, 10240],
  [256, 5120, 1280],
  [64, 1280, 1280],
  [257, 1280, 5120],
  [77, 768, 3072],
] as const;

export function linearCases(): BenchCase[] {
  return linearShapes.map(([rows, inFeatures, outFeatures]) =>
    tracedCase<{readonly x: Tensor}>({
      name: 'linear',
      shape: `[${rows}, ${inFeatures}] to ${outFeatures}`,
      pytorch: {kind: 'linear', settings: {rows, inFeatures, outFeatures}},
      types: dtype => ({x: {shape: [rows, inFeatures], dtype}}),
      trace: ({x}) => linear(weights, x, outFeatures),
    }),
  );
}

/** Size, in channels, out channels, kernel size, stride: the UNet's, then the VAE decoder's. */
const convShapes = [
  [64, 320, 320, 3, 1],
  [64, 960, 320, 3, 1],
  [64, 320, 320, 3, 2],
  [64, 960, 320, 1, 1],
  [32, 640, 640, 3, 1],
  [32, 1920, 640, 3, 1],
  [16, 1280, 1280, 3, 1],
  [16, 2560, 1280, 3, 1],
  [8, 1280, 1280, 3, 1],
  [64, 512, 512, 3, 1],
  [128, 512, 512, 3, 1],
  [256, 256, 256, 3, 1],
  [512, 128, 128, 3, 1],
] as const;

export function conv2dCases(): BenchCase[] {
  return convShapes.map(([size, inChannels, outChannels, kernelSize, stride]) =>
    tracedCase<{readonly x: Tensor}>({
      name: 'conv2d',
      shape: `${size}x${size}, ${inChannels} to ${outChannels}, kernel ${kernelSize}, stride ${stride}`,
      pytorch: {kind: 'conv2d', settings: {batch: 1, size, inChannels, outChannels, kernelSize, stride}},
      types: dtype => ({x: {shape: [1, size, size, inChannels], dtype}}),
      trace: ({x}) => conv2d(weights, x, outChannels, {kernelSize, stride}),
    }),
  );
}
