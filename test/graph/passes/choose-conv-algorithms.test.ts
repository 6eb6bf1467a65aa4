import test from 'ava';
import {chooseConvAlgorithms} from '../../../lib/graph/passes/choose-conv-algorithms.ts';
import {fuseEpilogues} from '../../../lib/graph/passes/fuse-epilogues.ts';
import {opNode} from '../../../lib/graph/passes/rewrite.ts';
import type {Tensor} from '../../../lib/graph/tensor.ts';
import {trace} from '../../../lib/graph/trace.ts';
import {type Conv2dOptions, conv2d} from '../../../lib/nn/layers.ts';
import {upsampler} from '../../../lib/nn/resnet-block.ts';
import type {ComputeDType} from '../../../lib/pipelines/compute-dtype.ts';
import {symbolicWeights} from '../../_helpers/symbolic.ts';

const weights = symbolicWeights();

/** Algorithm and layout of the weight of the one convolution of `fn`. */
function choiceOf(fn: (inputs: {x: Tensor}) => Tensor, shape: readonly number[], dtype: ComputeDType) {
  const graph = chooseConvAlgorithms(fuseEpilogues(trace(fn, {x: {shape, dtype}}).graph));
  const [weight, convolution] = graph.nodes.filter(({node}) =>
    /conv2d$/.test(node.kind === 'op' ? node.op.name : ''),
  );
  return {algorithm: opNode(convolution!).attributes['algorithm'], layout: weight!.layout};
}

function chosen(shape: readonly number[], outChannels: number, dtype: ComputeDType, options?: Conv2dOptions) {
  return choiceOf(({x}) => conv2d(weights, x, outChannels, options), shape, dtype).algorithm;
}

test('the levels of Stable Diffusion 1.5 at 512x512', t => {
  const levels = [
    [64, 320],
    [32, 640],
    [16, 1280],
    [8, 1280],
  ] as const;
  const of = (dtype: ComputeDType) =>
    levels.map(([side, channels]) => chosen([1, side, side, channels], channels, dtype));
  t.deepEqual(of('float32'), ['winograd_4x4_held', 'winograd_4x4_held', 'winograd_4x4', 'winograd_2x2_held']);
  t.deepEqual(of('bfloat16'), ['winograd_4x4_held', 'winograd_4x4_held', 'winograd_4x4_held', 'direct']);
});

test('few channels, other kernels and strides stay direct', t => {
  const shape = [1, 64, 64, 320];
  t.is(chosen([1, 64, 64, 4], 320, 'float32'), 'direct');
  t.is(chosen(shape, 4, 'float32'), 'direct');
  t.is(chosen(shape, 320, 'float32', {kernelSize: 1}), 'direct');
  t.is(chosen(shape, 320, 'float32', {stride: 2}), 'direct');
});

test('the batch has no part in it, the shorter side decides', t => {
  t.is(chosen([16, 16, 16, 64], 64, 'float32'), chosen([1, 16, 16, 64], 64, 'float32'));
  t.is(chosen([1, 16, 128, 64], 64, 'float32'), 'winograd_4x4');
});

test('an upsampled picture counts at its new size, and its weight is packed for the algorithm', t => {
  t.deepEqual(
    choiceOf(({x}) => upsampler(weights, x, 32, 32), [1, 16, 16, 64], 'float32'),
    {
      algorithm: 'winograd_4x4_held',
      layout: 'packed-conv2d-winograd_4x4_held',
    },
  );
});
