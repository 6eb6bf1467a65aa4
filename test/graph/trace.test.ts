import test from 'ava';
import {DTypeError, ShapeError} from '../../lib/errors.ts';
import {lower} from '../../lib/graph/lower.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import {printGraph} from '../../lib/graph/print.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {scoped, trace} from '../../lib/graph/trace.ts';

const f32 = (...shape: number[]) => ({shape, dtype: 'float32' as const});

test('records ops in order, with scopes, and prints them', t => {
  const {graph} = trace(
    ({x, pair}: {x: Tensor; pair: readonly Tensor[]}) =>
      scoped('model.block', () => {
        const sum = ops.binary({a: x, b: pair[0]!}, {kind: 'add'});
        return [ops.unary({x: sum}, {kind: 'silu'}), ops.binary({a: sum, b: pair[1]!}, {kind: 'multiply'})];
      }),
    {x: f32(2, 3), pair: [f32(2, 3), f32(1, 3)]},
  );
  t.is(
    printGraph(graph),
    [
      'input x f32[2, 3]',
      'input pair.0 f32[2, 3]',
      'input pair.1 f32[1, 3]',
      '%0 f32[2, 3] = binary x pair.0 {kind=add}  # model.block',
      '%1 f32[2, 3] = unary %0 {kind=silu}  # model.block',
      '%2 f32[2, 3] = binary %0 pair.1 {kind=multiply}  # model.block',
      'return %1 %2',
    ].join('\n'),
  );
});

test('a shape that does not fit names op, operands, expectation and scope', t => {
  const error = t.throws(
    () =>
      trace(({a, b}: {a: Tensor; b: Tensor}) => scoped('unet.mid', () => ops.binary({a, b}, {kind: 'add'})), {
        a: f32(2, 3),
        b: f32(2, 4),
      }),
    {instanceOf: ShapeError},
  );
  t.is(
    error?.message,
    'binary(f32[2, 3], f32[2, 4]): expected equal ranks and extents, or extents of 1 (traced at unet.mid)',
  );
});

test('a dtype that does not fit is a DTypeError', t => {
  t.throws(
    () => trace(({x}: {x: Tensor}) => ops.unary({x}, {kind: 'silu'}), {x: {shape: [1], dtype: 'int32'}}),
    {instanceOf: DTypeError, message: /expected x of float32 or float16 or bfloat16, got i32\[1\]/},
  );
});

test('a missing required input is named', t => {
  t.throws(() => trace(({x}: {x: Tensor}) => ops.binary({a: x} as never, {kind: 'add'}), {x: f32(1)}), {
    instanceOf: ShapeError,
    message: /binary: input b is missing/,
  });
});

test('an op outside of a trace is refused', t => {
  t.throws(() => ops.fill({}, {shape: [1], value: 0, dtype: 'float32'}), {message: /outside of trace/});
});

test('lowering numbers tensors, marks absent inputs and copies outputs that are inputs', t => {
  const {graph} = trace(
    ({x, scale}: {x: Tensor; scale: Tensor}) => [
      ops.layerNorm({x, scale}, {epsilon: 1e-5, dtype: 'float32'}),
      x,
    ],
    {x: f32(2, 4), scale: f32(4)},
  );
  const {description, parameters} = lower(graph);
  t.deepEqual(parameters, []);
  t.deepEqual(description.nodes[0], {
    op: 'layer_norm',
    inputs: [0, 1, -1],
    outputs: [2],
    attributes: {epsilon: 1e-5, dtype: 'float32'},
    scope: '',
  });
  t.is(description.nodes[1]?.op, 'reshape');
  t.deepEqual(description.outputs, [2, 3]);
});
