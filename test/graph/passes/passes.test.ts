import test from 'ava';
import * as ops from '../../../lib/graph/ops/index.ts';
import {eliminateDeadNodes} from '../../../lib/graph/passes/eliminate-dead-nodes.ts';
import {fuseEpilogues} from '../../../lib/graph/passes/fuse-epilogues.ts';
import {prepareWeights} from '../../../lib/graph/passes/prepare-weights.ts';
import {printGraph} from '../../../lib/graph/print.ts';
import type {Graph, Tensor} from '../../../lib/graph/tensor.ts';
import {parameter, trace} from '../../../lib/graph/trace.ts';
import {add, castTo, conv2d, groupNorm, layerNorm, linear, silu} from '../../../lib/nn/layers.ts';
import {type WeightSource, Weights} from '../../../lib/nn/weights.ts';

const source: WeightSource = {
  label: 'm',
  tensor: (name, shape) => parameter(source, name, {shape, dtype: 'float16'}),
};
const w = new Weights(source);
const f32 = (...shape: number[]) => ({shape, dtype: 'float32' as const});
const opsOf = (graph: Graph) => graph.nodes.map(({node}) => (node.kind === 'op' ? node.op.name : node.kind));
const body = (graph: Graph) => printGraph(graph).split('\n').slice(graph.inputs.length);

test('a resnet block becomes norm, convolution, norm, convolution', t => {
  const {graph} = trace(
    ({x, temb}: {x: Tensor; temb: Tensor}) => {
      const norm = {groups: 2, epsilon: 1e-5};
      const h = conv2d(w.at('conv1'), silu(groupNorm(w.at('norm1'), x, norm)), 4, {sampleBias: temb});
      return add(x, conv2d(w.at('conv2'), silu(groupNorm(w.at('norm2'), h, norm)), 4));
    },
    {x: f32(1, 8, 8, 4), temb: f32(1, 4)},
  );
  const fused = prepareWeights(fuseEpilogues(graph));
  t.deepEqual(opsOf(fused), ['group_norm', 'conv2d', 'group_norm', 'conv2d']);
  t.deepEqual(body(fused), [
    '%0 f32[1, 8, 8, 4] = group_norm x @{cast m.norm1.weight} @{cast m.norm1.bias} {groups=2, epsilon=0.00001, activation=silu}  # m.norm1',
    '%1 f32[1, 8, 8, 4] = conv2d %0 @{pack_conv2d m.conv1.weight} @{cast m.conv1.bias} temb _ {stride=1, padding=[1, 1, 1, 1], upsample_height=0, upsample_width=0, activation=none, algorithm=direct}  # m.conv1',
    '%2 f32[1, 8, 8, 4] = group_norm %1 @{cast m.norm2.weight} @{cast m.norm2.bias} {groups=2, epsilon=0.00001, activation=silu}  # m.norm2',
    '%3 f32[1, 8, 8, 4] = conv2d %2 @{pack_conv2d m.conv2.weight} @{cast m.conv2.bias} _ x {stride=1, padding=[1, 1, 1, 1], upsample_height=0, upsample_width=0, activation=none, algorithm=direct}  # m.conv2',
    'return %3',
  ]);
});

test('what is read twice is not fused away', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const h = linear(w.at('a'), x, 4);
      return add(silu(h), h);
    },
    {x: f32(2, 4)},
  );
  t.deepEqual(opsOf(prepareWeights(fuseEpilogues(graph))), ['linear', 'unary', 'binary']);
});

test('an activation after a residual stays outside', t => {
  const {graph} = trace(({x}: {x: Tensor}) => silu(add(x, linear(w.at('a'), x, 4))), {x: f32(2, 4)});
  const fused = prepareWeights(fuseEpilogues(graph));
  t.deepEqual(opsOf(fused), ['linear', 'unary']);
  t.regex(body(fused)[0]!, /^%0 f32\[2, 4\] = linear x .* x \{activation=none\}/);
});

test('a residual of another shape is not fused', t => {
  const {graph} = trace(({x, r}: {x: Tensor; r: Tensor}) => add(linear(w.at('a'), x, 4), r), {
    x: f32(2, 4),
    r: f32(1, 4),
  });
  t.deepEqual(opsOf(prepareWeights(fuseEpilogues(graph))), ['linear', 'binary']);
});

test('a feed-forward in bfloat16 between float32 states is norm, product, product', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const normed = castTo(layerNorm(w.at('norm'), x), 'bfloat16');
      const hidden = ops.unary({x: linear(w.at('in'), normed, 8)}, {kind: 'gelu'});
      return add(x, castTo(linear(w.at('out'), hidden, 4), 'float32'));
    },
    {x: f32(2, 4)},
  );
  const fused = prepareWeights(fuseEpilogues(graph));
  t.deepEqual(opsOf(fused), ['layer_norm', 'linear', 'linear']);
  t.regex(body(fused)[0]!, /^%0 bf16\[2, 4\] = layer_norm x .*dtype=bfloat16/);
  t.regex(body(fused)[2]!, /^%2 f32\[2, 4\] = linear %1 .* x \{activation=none\}/);
});

test('a product that is read in both dtypes is converted once', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const h = linear(w.at('a'), castTo(x, 'bfloat16'), 4);
      return [add(x, castTo(h, 'float32')), h];
    },
    {x: f32(2, 4)},
  );
  t.deepEqual(opsOf(prepareWeights(fuseEpilogues(graph))), ['cast', 'linear', 'cast', 'binary']);
});

test('GEGLU moves into its product, whose weight is packed for it', t => {
  const {graph} = trace(({x}: {x: Tensor}) => ops.geglu({x: linear(w.at('ff'), x, 16)}), {x: f32(2, 4)});
  const fused = fuseEpilogues(graph);
  t.is(opsOf(fused).filter(name => name === 'pack_linear').length, 1);
  t.regex(printGraph(fused), /pack_linear .*glu=true/);
  t.regex(printGraph(fused), /f32\[2, 8\] = linear .*activation=geglu/);
});

test('GEGLU stays outside of a product whose weight another one reads', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const weight = ops.packLinear(
        {weight: w.tensor('ff', [16, 4])},
        {dtype: 'float32', glu: false, transposed: false},
      );
      const product = () => ops.linear({x, weight}, {activation: 'none'});
      return [ops.geglu({x: product()}), product()];
    },
    {x: f32(2, 4)},
  );
  t.deepEqual(opsOf(fuseEpilogues(graph)), ['pack_linear', 'linear', 'geglu', 'linear']);
});

test('what nobody reads keeps nothing apart', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const h = linear(w.at('a'), x, 4);
      ops.affine({x: h}, {scale: 2, offset: 0});
      return silu(h);
    },
    {x: f32(2, 4)},
  );
  t.deepEqual(opsOf(prepareWeights(fuseEpilogues(graph))), ['linear']);
});

test('nearest upsampling moves into the convolution', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => conv2d(w.at('c'), ops.upsampleNearest({x}, {height: 7, width: 9}), 4),
    {x: f32(1, 4, 5, 4)},
  );
  const fused = prepareWeights(fuseEpilogues(graph));
  t.deepEqual(opsOf(fused), ['conv2d']);
  t.regex(printGraph(fused), /f32\[1, 7, 9, 4\] = conv2d x .*upsample_height=7, upsample_width=9/);
});

test('dead nodes go', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      silu(silu(x));
      return silu(x);
    },
    {x: f32(1)},
  );
  t.is(graph.nodes.length, 3);
  t.is(eliminateDeadNodes(graph).nodes.length, 1);
});

test('equal weight expressions share one key, different ones do not', t => {
  const {graph} = trace(
    ({x}: {x: Tensor}) => [linear(w.at('a'), x, 4), linear(w.at('a'), x, 4), linear(w.at('b'), x, 4)],
    {x: f32(2, 4)},
  );
  const prepared = prepareWeights(graph);
  const keys = prepared.nodes.map(({node}) => {
    const weight = node.kind === 'op' ? node.inputs[1]?.node : undefined;
    return weight?.kind === 'prepared' ? weight.recipe.key : undefined;
  });
  t.is(keys[0], keys[1]);
  t.not(keys[0], keys[2]);
  t.regex(keys[0]!, /^pack_linear\(m#\d+\/a\.weight\)/);
});
