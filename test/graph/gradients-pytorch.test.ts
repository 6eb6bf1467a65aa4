// Gradients of each op beside those of PyTorch's autograd: bench/pytorch/op_gradients.py made the fixture.
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {gradients} from '../../lib/graph/gradients.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import {opNode} from '../../lib/graph/passes/rewrite.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {trace} from '../../lib/graph/trace.ts';
import {type FixtureTensor, readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {runModel} from '../_helpers/run-model.ts';

const fixture = readSafetensors(
  fileURLToPath(new URL('../fixtures/training/op-gradients.safetensors', import.meta.url)),
);
const tolerance = 1e-4;

type Inputs = Readonly<Record<string, Tensor>>;
type Sides = readonly [number, number, number, number];

function conv2d(inputs: Inputs, stride = 1, padding: Sides = [1, 1, 1, 1]): Tensor {
  const {x, weight, bias, sample_bias, residual} = inputs;
  const packed = ops.packConv2d({weight: weight!}, {dtype: 'float32', algorithm: 'direct'});
  return ops.conv2d(
    {x: x!, weight: packed, bias, sample_bias, residual},
    {stride, padding, upsample_height: 0, upsample_width: 0, activation: 'none', algorithm: 'direct'},
  );
}

function product({x, weight, bias}: Inputs): Tensor {
  const packed = ops.packLinear({weight: weight!}, {dtype: 'float32', glu: false, transposed: false});
  return ops.linear({x: x!, weight: packed, bias}, {activation: 'none'});
}

type Activation = 'silu' | 'gelu' | 'quick_gelu';

function activated(kind: Activation): (inputs: Inputs) => Tensor {
  return inputs =>
    ops.binary({a: ops.unary({x: product(inputs)}, {kind}), b: inputs['residual']!}, {kind: 'add'});
}

function steep(kind: Activation): (inputs: Inputs) => Tensor {
  return ({x}) => ops.unary({x: ops.affine({x: x!}, {scale: 4, offset: 0})}, {kind});
}

function binary(kind: 'add' | 'subtract' | 'multiply'): (inputs: Inputs) => Tensor {
  return ({a, b}) => ops.binary({a: a!, b: b!}, {kind});
}

function groupNorm({x, scale, shift}: Inputs): Tensor {
  const options = {groups: 4, epsilon: 1e-5, activation: 'none'} as const;
  return ops.groupNorm({x: x!, scale: scale!, shift: shift!}, options);
}

const layerNorm = ({x, scale, shift}: Inputs) =>
  ops.layerNorm({x: x!, scale, shift}, {epsilon: 1e-5, dtype: 'float32'});
const heads = {heads: 2, scale: 12 ** -0.5};

function attention(causal: boolean): (inputs: Inputs) => Tensor {
  return ({q, k, v, frozen_mask: mask}) => ops.attention({q: q!, k: k!, v: v!, mask}, {...heads, causal});
}

const cases: Readonly<Record<string, (inputs: Inputs) => Tensor>> = {
  conv2d,
  conv2d_stride: inputs => conv2d(inputs, 2, [0, 0, 1, 1]),
  conv2d_1x1: inputs => conv2d(inputs, 1, [0, 0, 0, 0]),
  conv2d_upsampled: ({x, ...rest}) =>
    conv2d({x: ops.upsampleNearest({x: x!}, {height: 14, width: 12}), ...rest}),
  conv2d_winograd: ({x, frozen_weight: weight}) => conv2d({x: x!, weight: weight!}),
  linear: inputs => ops.binary({a: product(inputs), b: inputs['residual']!}, {kind: 'add'}),
  linear_silu: activated('silu'),
  linear_gelu: activated('gelu'),
  linear_quick_gelu: activated('quick_gelu'),
  linear_geglu: inputs => ops.geglu({x: product(inputs)}),
  layer_norm: layerNorm,
  layer_norm_plain: layerNorm,
  group_norm: groupNorm,
  group_norm_silu: inputs => ops.unary({x: groupNorm(inputs)}, {kind: 'silu'}),
  attention: attention(false),
  attention_causal: attention(true),
  attention_masked: attention(false),
  decoupled_attention: ({q, k, v, image_k, image_v, image_scale}) =>
    ops.decoupledAttention(
      {q: q!, k: k!, v: v!, image_k: image_k!, image_v: image_v!, image_scale: image_scale!},
      heads,
    ),
  geglu: ({x}) => ops.geglu({x: x!}),
  silu: steep('silu'),
  gelu: steep('gelu'),
  quick_gelu: steep('quick_gelu'),
  add: binary('add'),
  subtract: binary('subtract'),
  multiply: binary('multiply'),
  cast: ({x}) => ops.cast({x: ops.cast({x: x!}, {dtype: 'bfloat16'})}, {dtype: 'float32'}),
  reshape_transpose: ({x}) =>
    ops.transpose({x: ops.reshape({x: x!}, {shape: [6, 4, 5]})}, {permutation: [2, 0, 1]}),
  concat: ({a, b, c}) => ops.concat({parts: [a!, b!, c!]}, {axis: 1}),
  slice: ({x}) => ops.slice({x: x!}, {axis: 1, start: 2, length: 3}),
  broadcast_to: ({x}) => ops.broadcastTo({x: x!}, {shape: [3, 6, 4]}),
  reduce_sum: ({x}) => ops.reduceSum({x: x!}, {shape: [1, 6, 1], dtype: 'float32'}),
  upsample_nearest: ({x}) => ops.upsampleNearest({x: x!}, {height: 6, width: 12}),
  embedding: ({table, ids}) => ops.embedding({table: table!, ids: ids!}, {dtype: 'float32'}),
  gather_tokens: ({x, index}) => ops.gatherTokens({x: x!, index: index!}),
};

/** Ops without gradients, and those that gradients are made of. */
const notDifferentiable = [
  'activation_gradient',
  'adamw',
  'attention_gradient',
  'fill',
  'group_norm_gradient',
  'layer_norm_gradient',
  'random_normal',
  'scatter_rows',
  'timestep_embedding',
];

/** The fixture's tensors below a name, with the rest of their names. */
function below(prefix: string): Record<string, FixtureTensor> {
  const entries = Object.entries(fixture).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(entries.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

const isIds = (name: string) => name === 'ids' || name === 'index';

for (const [name, output] of Object.entries(cases)) {
  test(name, async t => {
    const expected = below(`${name}.gradients.`);
    const given = {...below(`${name}.inputs.`), output_gradient: fixture[`${name}.output_gradient`]!};
    const inputs = Object.fromEntries(
      Object.entries(given).map(([role, {shape, data}]) => [
        role,
        {shape, data: isIds(role) ? Int32Array.from(data) : data},
      ]),
    );
    const actual = await runModel(({output_gradient, ...symbols}: Inputs) => {
      const y = output(symbols);
      const weighted = ops.binary({a: y, b: output_gradient!}, {kind: 'multiply'});
      const loss = ops.reduceSum({x: weighted}, {shape: y.shape.map(() => 1), dtype: 'float32'});
      return gradients(
        loss,
        Object.keys(expected).map(role => symbols[role]!),
      );
    }, inputs);
    t.true(actual.length > 0);
    for (const [index, [role, {data}]] of Object.entries(expected).entries()) {
      const error = relativeError(actual[index]!, data);
      t.true(error < tolerance, `${role}: ${error}`);
    }
  });
}

test('each case of the fixture is here, and each op with a gradient in one', t => {
  const named = new Set(Object.keys(fixture).map(name => name.slice(0, name.indexOf('.'))));
  t.deepEqual([...named].sort(), Object.keys(cases).sort());
  const used = Object.entries(cases).flatMap(([name, output]) => {
    const types = Object.entries(below(`${name}.inputs.`)).map(([role, {shape}]) => [
      role,
      {shape, dtype: isIds(role) ? 'int32' : 'float32'},
    ]);
    const {graph} = trace((inputs: Inputs) => output(inputs), Object.fromEntries(types));
    return graph.nodes.map(tensor => opNode(tensor).op.name);
  });
  const all = Object.values(ops).flatMap(op => ('roles' in op ? [op.name] : []));
  t.deepEqual([...new Set([...used, ...notDifferentiable])].sort(), all.sort());
});
