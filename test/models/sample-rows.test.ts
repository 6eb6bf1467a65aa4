import {readFileSync} from 'node:fs';
import test from 'ava';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import type {Graph, OpNode, Tensor, TensorType} from '../../lib/graph/tensor.ts';
import {trace} from '../../lib/graph/trace.ts';
import {controlNet, controlNetTextKeyValues, controlNetTimeProjections} from '../../lib/models/controlnet.ts';
import {controlNetConditioning} from '../../lib/models/controlnet-conditioning.ts';
import {parseControlNetConfig} from '../../lib/models/controlnet-config.ts';
import {crossAttentionLayers, unet, unetTextKeyValues, unetTimeProjections} from '../../lib/models/unet.ts';
import {parseUNetConfig, type UNetConfig} from '../../lib/models/unet-config.ts';
import {Weights} from '../../lib/nn/weights.ts';
import type {DType} from '../../lib/runtime/dtype.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {runModel, weightsOf} from '../_helpers/run-model.ts';

type Symbols = Readonly<Record<string, Tensor>>;

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const openModel = async (label: string, ...place: string[]) =>
  weightsOf(label, (await openWeights(inReference(...place))).tensors);

const config = parseUNetConfig(readJson(inReference('model', 'unet', 'config.json')));
const controlConfig = parseControlNetConfig(readJson(inReference('controlnet', 'config.json')));
const weights = await openModel('unet', 'model', 'unet');
const controlWeights = await openModel('controlnet', 'controlnet');

interface Parts {
  readonly adapter: boolean;
  readonly control: boolean;
}

/** A step from raw inputs: rows are those of the text, samples those of `sample`. */
function step(
  {sample, timesteps, text, tokens, scales, picture, strength}: Symbols,
  parts: Parts,
  dtype: DType,
) {
  const image = parts.adapter
    ? {images: [{keyValues: unetTextKeyValues(weights, config, tokens!, dtype), scales: scales!}]}
    : {};
  const residuals = parts.control
    ? controlNet(
        controlWeights,
        controlConfig,
        {
          sample: sample!,
          timeProjections: controlNetTimeProjections(controlWeights, controlConfig, timesteps!, dtype),
          textKeyValues: controlNetTextKeyValues(controlWeights, controlConfig, text!, dtype),
          conditioning: controlNetConditioning(controlWeights, controlConfig, picture!, dtype),
          scale: strength!,
        },
        dtype,
      )
    : {};
  const inputs = {
    sample: sample!,
    timeProjections: unetTimeProjections(weights, config, timesteps!, dtype),
    textKeyValues: unetTextKeyValues(weights, config, text!, dtype),
    ...image,
    ...residuals,
  };
  return unet(weights, config, inputs, dtype);
}

const noise = new TorchGenerator(3);
const random = (...shape: number[]) => ({shape, data: noise.randn(shape)});

/** A tensor [S, …] with each sample R times. */
function repeat({shape: [samples, ...rest], data}: ReturnType<typeof random>, rows: number) {
  const size = data.length / samples!;
  const repeated = Array.from({length: samples! * rows}, (_, row) => {
    const sample = Math.floor(row / rows);
    return [...data.subarray(sample * size, (sample + 1) * size)];
  });
  return {shape: [samples! * rows, ...rest], data: Float32Array.from(repeated.flat())};
}

for (const dtype of ['float32', 'bfloat16'] as const) {
  for (const parts of [
    {adapter: false, control: false},
    {adapter: true, control: false},
    {adapter: false, control: true},
    {adapter: true, control: true},
  ]) {
    const names = `${parts.adapter ? ' with an adapter' : ''}${parts.control ? ' with a ControlNet' : ''}`;
    // The control picture is added within conv_in for one sample, and after it for several: one rounding more.
    const tolerance = dtype === 'bfloat16' && parts.control ? 0.02 : 0;
    test(`rows that share their sample get what rows with a copy each get${names}, ${dtype}`, async t => {
      for (const [samples, rows] of [
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 4],
        [2, 1],
        [2, 2],
        [2, 3],
        [2, 4],
      ] as const) {
        const batch = samples * rows;
        const sample = random(samples, config.inChannels, 10, 8);
        const inputs = {
          timesteps: {shape: [1], data: Float32Array.of(401)},
          text: random(batch, 7, config.crossAttentionDim),
          tokens: random(batch, 4, config.crossAttentionDim),
          scales: random(crossAttentionLayers(config).length, batch),
          picture: random(1, 3, 80, 64),
          strength: {shape: [1], data: Float32Array.of(0.8)},
        };
        const fn = (symbols: Symbols) => step(symbols, parts, dtype);
        const [shared] = await runModel(fn, {...inputs, sample});
        const [copied] = await runModel(fn, {...inputs, sample: repeat(sample, rows)});
        t.true(relativeError(shared!, copied!) <= tolerance, `${samples} samples of ${rows} rows`);
      }
    });
  }
}

const oddConfigs = readJson(new URL('../fixtures/models/unet-odd/config.json', import.meta.url).pathname);

function traceStep(of: UNetConfig, samples: number, rows: number, times = 1): Graph {
  const symbolic = new Weights(new RandomWeights('unet'));
  const f32 = (...shape: number[]): TensorType => ({shape, dtype: 'float32'});
  const types = {
    sample: f32(samples, of.inChannels, 9, 7),
    timesteps: f32(times),
    text: f32(rows, 11, of.crossAttentionDim),
  };
  return trace(
    ({sample, timesteps, text}: {readonly [Name in keyof typeof types]: Tensor}) =>
      unet(
        symbolic,
        of,
        {
          sample,
          timeProjections: unetTimeProjections(symbolic, of, timesteps, 'float32'),
          textKeyValues: unetTextKeyValues(symbolic, of, text, 'float32'),
        },
        'float32',
      ),
    types,
  ).graph;
}

/** Scope and batch of an op's nodes, without those of the time and text projections. */
function batches(graph: Graph, op: string): [string, number][] {
  return graph.nodes
    .filter(({node}) => (node as OpNode).op.name === op)
    .map(tensor => [(tensor.node as OpNode).scope.replace(/^unet\./, ''), tensor.dim(0)]);
}

test('what comes before the first cross-attention runs once a sample, all after it once a row', t => {
  const graph = traceStep(config, 2, 6);
  const heavy = [...batches(graph, 'conv2d'), ...batches(graph, 'attention')];
  t.deepEqual([...new Set(heavy.map(([, batch]) => batch))], [2, 6]);
  t.deepEqual(
    heavy.filter(([, batch]) => batch === 2).map(([scope]) => scope),
    [
      'conv_in',
      'down_blocks.0.resnets.0.conv1',
      'down_blocks.0.resnets.0.conv2',
      'down_blocks.0.attentions.0.proj_in',
      'down_blocks.0.attentions.0.transformer_blocks.0.attn1',
    ],
  );
});

test('a model that begins without cross-attention parts its rows at the first that has one', t => {
  const {unet: json} = oddConfigs;
  const [, ...others] = json.down_block_types;
  const plainFirst = parseUNetConfig({...json, down_block_types: ['DownBlock2D', ...others]});
  const once = batches(traceStep(plainFirst, 1, 4), 'conv2d').filter(([, batch]) => batch === 1);
  t.true(once.some(([scope]) => scope.startsWith('down_blocks.0.downsamplers.0')));
  t.true(once.every(([scope]) => /^(conv_in|down_blocks\.[01]\.)/.test(scope)));
});

test('where each row has its own sample nothing is repeated', t => {
  t.deepEqual(batches(traceStep(config, 4, 4), 'broadcast_to'), []);
});

test('time projections may differ from sample to sample', t => {
  t.is(traceStep(config, 2, 6, 2).outputs[0]!.dim(0), 6);
});

test('a model without cross-attention tells no rows apart: its result is one a sample', t => {
  const plain = parseUNetConfig({
    ...oddConfigs.unet,
    down_block_types: ['DownBlock2D', 'DownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'UpBlock2D', 'UpBlock2D'],
    mid_block_type: null,
  });
  t.deepEqual(traceStep(plain, 2, 6).outputs[0]!.shape, [2, plain.outChannels, 9, 7]);
});
