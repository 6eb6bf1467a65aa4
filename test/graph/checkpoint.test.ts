// Recomputation: what checkpoint() marks, gradients() records again.
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {type GradientsOptions, gradients} from '../../lib/graph/gradients.ts';
import {lower} from '../../lib/graph/lower.ts';
import * as ops from '../../lib/graph/ops/index.ts';
import {prepareWeights} from '../../lib/graph/passes/prepare-weights.ts';
import {printGraph} from '../../lib/graph/print.ts';
import type {Graph, Tensor} from '../../lib/graph/tensor.ts';
import {checkpoint, parameter, trace} from '../../lib/graph/trace.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';

const device = openDevice('cpu');

const extents = {x: [3, 8], y: [3, 8], weight: [8, 8]} as const;
type Inputs = Readonly<Record<keyof typeof extents, Tensor>>;
const names = Object.keys(extents) as (keyof typeof extents)[];
const types = Object.fromEntries(
  names.map(name => [name, {shape: extents[name], dtype: 'float32'}]),
) as never;

const kinds = ['silu', 'gelu', 'add', 'multiply', 'linear', 'layer_norm', 'noise'] as const;
/** An op on two of the values so far, or steps in a region of their own. */
type Step = {kind: (typeof kinds)[number]; a: number; b: number} | {steps: Step[]};

const {steps: program} = fc.letrec<{step: Step; steps: Step[]}>(tie => ({
  step: fc.oneof(
    {depthSize: 'small', withCrossShrink: true},
    fc.record({kind: fc.constantFrom(...kinds), a: fc.nat(99), b: fc.nat(99)}),
    fc.record({steps: tie('steps')}),
  ),
  steps: fc.array(tie('step'), {minLength: 1, maxLength: 8}),
}));

function apply(kind: (typeof kinds)[number], a: Tensor, b: Tensor, weight: Tensor): Tensor {
  switch (kind) {
    case 'silu':
    case 'gelu':
      return ops.unary({x: a}, {kind});
    case 'add':
    case 'multiply':
      return ops.binary({a, b}, {kind});
    case 'linear':
      return ops.linear(
        {
          x: a,
          weight: ops.packLinear({weight}, {dtype: 'float32', glu: false, transposed: false}),
          residual: b,
        },
        {activation: 'none'},
      );
    case 'layer_norm':
      return ops.layerNorm({x: a}, {epsilon: 0.01, dtype: 'float32'});
    case 'noise': {
      const attributes = {shape: a.shape, seed: 1, mean: 0, std: 1, dtype: 'float32'} as const;
      return ops.binary({a, b: ops.randomNormal({}, attributes)}, {kind: 'multiply'});
    }
  }
}

/** The value of the last step. Each step may read what any before it made, in a region or not. */
function play({x, y, weight}: Inputs, program: readonly Step[], region: <T>(body: () => T) => T): Tensor {
  const values = [x, y];
  const play = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if ('steps' in step) region(() => play(step.steps));
      else {
        const of = (index: number) => values[values.length - 1 - (index % values.length)]!;
        values.push(apply(step.kind, of(step.a), of(step.b), weight));
      }
    }
  };
  play(program);
  return values.at(-1)!;
}

function gradientsOf(inputs: Inputs, program: readonly Step[], options: GradientsOptions): Tensor[] {
  const output = play(inputs, program, checkpoint);
  const square = ops.binary({a: output, b: output}, {kind: 'multiply'});
  const loss = ops.reduceSum({x: square}, {shape: [1, 1], dtype: 'float32'});
  return gradients(
    loss,
    names.map(name => inputs[name]),
    options,
  );
}

/** Bits of the results. No pass has fused anything, which rounds otherwise. */
async function run({inputs, nodes, outputs}: Graph): Promise<Uint32Array[]> {
  const given = inputs.map(({shape, size}, seed) => {
    const data = Float32Array.from({length: size}, (_, i) => Math.sin(1 + i * (seed + 1)));
    return DeviceTensor.from(device, data, shape);
  });
  const compiled = device.compile(lower({inputs, nodes, outputs}).description);
  const {outputs: results} = await compiled.run({inputs: given, parameters: []});
  const arrays = await Promise.all(results.map(result => result.toFloat32Array()));
  for (const tensor of [...given, ...results]) tensor.dispose();
  return arrays.map(({buffer}) => new Uint32Array(buffer));
}

const runs = {numRuns: 60};

testProp(
  'gradients are the same bits with recomputation, in regions within regions too',
  [program],
  async (t, steps) => {
    const [kept, again] = [false, true].map(recompute =>
      trace((inputs: Inputs) => gradientsOf(inputs, steps, {recompute}), types),
    );
    t.deepEqual(await run(again!.graph), await run(kept!.graph));
  },
  runs,
);

testProp(
  'a checkpoint changes nothing where no gradient is taken',
  [program],
  (t, steps) => {
    const [marked, plain] = [checkpoint, <T>(body: () => T) => body()].map(region =>
      printGraph(trace((inputs: Inputs) => play(inputs, steps, region), types).graph),
    );
    t.is(marked, plain);
  },
  runs,
);

const side = 64;

/** `regions` regions of `length` activations, one after the other. */
function chain(x: Tensor, regions: number, length: number): Tensor {
  const activations = (tensor: Tensor) =>
    Array.from({length}).reduce<Tensor>(value => ops.unary({x: value}, {kind: 'silu'}), tensor);
  return Array.from({length: regions}).reduce<Tensor>(value => checkpoint(() => activations(value)), x);
}

/** Arena of a chain's gradient, in tensors. */
function arenaOf(regions: number, length: number, recompute: boolean): number {
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const loss = ops.reduceSum({x: chain(x, regions, length)}, {shape: [1, 1], dtype: 'float32'});
      return gradients(loss, [x], {recompute});
    },
    {x: {shape: [side, side], dtype: 'float32'}},
  );
  return device.compile(lower(graph).description).plan().peakBytes / (4 * side ** 2);
}

testProp(
  'memory grows as the number of regions and the length of one, not as their product',
  [fc.integer({min: 2, max: 12}), fc.integer({min: 2, max: 12})],
  (t, regions, length) => {
    t.true(arenaOf(regions, length, true) <= regions + length + 2);
    t.true(arenaOf(regions, length, false) >= regions * length - 2);
  },
  {numRuns: 20},
);

test('what is made of weights alone is not made again', t => {
  const source = {label: 'm'};
  const {graph} = trace(
    ({x}: {x: Tensor}) => {
      const y = checkpoint(() => {
        const weight = parameter(source, 'weight', {shape: [4, 4], dtype: 'float32'});
        const packed = ops.packLinear({weight}, {dtype: 'float32', glu: false, transposed: false});
        const hidden = ops.unary({x: ops.linear({x, weight: packed}, {activation: 'none'})}, {kind: 'silu'});
        return ops.linear({x: hidden, weight: packed}, {activation: 'none'});
      });
      return gradients(ops.reduceSum({x: y}, {shape: [1, 1], dtype: 'float32'}), [x]);
    },
    {x: {shape: [2, 4], dtype: 'float32'}},
  );
  const count = (name: string) =>
    graph.nodes.filter(({node}) => node.kind === 'op' && node.op.name === name).length;
  // The weight, and the same transposed for each of two gradients.
  t.is(count('pack_linear'), 3);
  t.is(count('unary'), 2);
  t.is(lower(prepareWeights(graph)).parameters.length, 3);
});
