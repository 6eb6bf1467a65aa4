import {readFileSync} from 'node:fs';
import test from 'ava';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {ShapeError} from '../../lib/errors.ts';
import type {Graph, OpNode, Tensor, TensorType} from '../../lib/graph/tensor.ts';
import {trace} from '../../lib/graph/trace.ts';
import type {Tree} from '../../lib/graph/tree.ts';
import {
  crossAttentionLayers,
  type UNetInputs,
  unet,
  unetTextKeyValues,
  unetTimeProjections,
} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {Weights} from '../../lib/nn/weights.ts';

const place = new URL('../fixtures/models/unet-odd/config.json', import.meta.url);
const config = parseUNetConfig(JSON.parse(readFileSync(place, 'utf8')).unet);
const layers = crossAttentionLayers(config);
const weights = new Weights(new RandomWeights('unet'));

function f32(...extents: number[]): TensorType {
  return {shape: extents, dtype: 'float32'};
}

function keyValues(batch: number, tokens: number) {
  return layers.map(({channels}) => ({
    key: f32(batch, tokens, channels),
    value: f32(batch, tokens, channels),
  }));
}

interface Types {
  readonly [name: string]: Tree<TensorType>;
}

/** Types of a step with batch 3 and latents of 9x7. */
function stepTypes(changes: Types = {}): Types {
  return {
    sample: f32(3, 4, 9, 7),
    timeProjections: f32(1, timeChannels),
    textKeyValues: keyValues(3, 11),
    ...changes,
  };
}

const timeChannels = trace(
  ({timesteps}: {timesteps: Tensor}) => unetTimeProjections(weights, config, timesteps, 'float32'),
  {timesteps: f32(5)},
).output.dim(1);

function traceStep(types: Types): {graph: Graph; output: Tensor} {
  const traced = trace(
    (inputs: Record<string, Tensor>) => unet(weights, config, inputs as unknown as UNetInputs, 'float32'),
    types as Record<string, TensorType>,
  );
  return {graph: traced.graph, output: traced.output};
}

function nodesOf(graph: Graph, op: string): OpNode[] {
  return graph.nodes.map(({node}) => node as OpNode).filter(node => node.op.name === op);
}

test('time projections are one row a timestep: every resnet in execution order', t => {
  const {output} = trace(
    ({timesteps}: {timesteps: Tensor}) => unetTimeProjections(weights, config, timesteps, 'bfloat16'),
    {timesteps: f32(30)},
  );
  // Down: 2 of each width; mid: 2; up: 3 of each width.
  t.deepEqual(output.shape, [30, 5 * (16 + 24 + 32) + 2 * 32]);
  t.is(output.dtype, 'float32');
});

test('text keys and values are one pair a cross-attention layer, of the compute dtype', t => {
  const {output} = trace(
    ({tokens}: {tokens: Tensor}) => unetTextKeyValues(weights, config, tokens, 'bfloat16'),
    {tokens: f32(2, 77, 20)},
  );
  t.deepEqual(
    output.map(({key, value}) => [key.shape, value.shape, key.dtype]),
    layers.map(({channels}) => [[2, 77, channels], [2, 77, channels], 'bfloat16']),
  );
});

test('the way up grows back to odd sizes of the way down', t => {
  const {graph, output} = traceStep(stepTypes());
  t.deepEqual(output.shape, [3, 4, 9, 7]);
  const sizes = nodesOf(graph, 'upsample_nearest').map(({attributes}) => [
    attributes['height'],
    attributes['width'],
  ]);
  t.deepEqual(sizes, [
    [5, 4],
    [9, 7],
  ]);
});

test('with image tokens each cross-attention is one decoupled attention, without them a plain one', t => {
  const plain = traceStep(stepTypes()).graph;
  t.is(nodesOf(plain, 'attention').length, 2 * layers.length);
  t.is(nodesOf(plain, 'decoupled_attention').length, 0);

  const image = {keyValues: keyValues(3, 4), scales: f32(layers.length, 3)};
  const decoupled = traceStep(stepTypes({images: [image]})).graph;
  t.is(nodesOf(decoupled, 'attention').length, layers.length);
  t.is(nodesOf(decoupled, 'decoupled_attention').length, layers.length);
});

test('nodes carry the place of their weights as scope', t => {
  const scopes = new Set(nodesOf(traceStep(stepTypes()).graph, 'attention').map(({scope}) => scope));
  const expected = layers.flatMap(({path}) => [`unet.${path}`, `unet.${path.replace('attn2', 'attn1')}`]);
  t.deepEqual([...scopes].sort(), expected.sort());
});

for (const [problem, changes, message] of [
  [
    'a sample of other channels',
    {sample: f32(3, 9, 9, 7)},
    /^unet: sample: expected f32\[batch, 4, .*in_channels/,
  ],
  ['a sample without batch', {sample: f32(4, 9, 7)}, /^unet: sample: expected f32\[batch, 4/],
  [
    "another model's time projections",
    {timeProjections: f32(1, 99)},
    /^unet: timeProjections: expected .* got f32\[1, 99\]/,
  ],
  [
    'too few text keys and values',
    {textKeyValues: keyValues(3, 11).slice(1)},
    /^unet: textKeyValues: expected 16 .* got 15/,
  ],
  ['text of another batch', {textKeyValues: keyValues(2, 11)}, /^attention\(.*down_blocks\.0\.attentions\.0/],
  [
    'too few image keys and values',
    {images: [{keyValues: keyValues(3, 4).slice(1), scales: f32(16, 3)}]},
    /^unet: images\[0\].keyValues: expected 16/,
  ],
  [
    'scales of too few layers',
    {images: [{keyValues: keyValues(3, 4), scales: f32(10, 3)}]},
    /^unet: images\[0\].scales: expected f32\[16, batch\]; got f32\[10, 3\]/,
  ],
  [
    'down residuals alone',
    {downResiduals: [f32(3, 9, 7, 16)]},
    /^unet: downResiduals and midResidual: expected 9 and one; got 1 and none/,
  ],
] as const) {
  test(`refuses ${problem}`, t => {
    t.throws(() => traceStep(stepTypes(changes as Types)), {instanceOf: ShapeError, message});
  });
}
