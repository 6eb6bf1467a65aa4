import {readFileSync} from 'node:fs';
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {crossAttentionLayers, unet, unetTextKeyValues, unetTimeProjections} from '../../lib/models/unet.ts';
import {unetWithAttentionMaps} from '../../lib/models/unet-attention-maps.ts';
import {attentionWeights} from '../../lib/models/unet-blocks/attention-weights.ts';
import type {ObservedCrossAttention} from '../../lib/models/unet-blocks/cross-attention.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import type {DType} from '../../lib/runtime/dtype.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {type Array64, type Attention64, array64, get, sum} from '../_helpers/float64-ops.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {runModel, weightsOf} from '../_helpers/run-model.ts';

const config = parseUNetConfig(JSON.parse(readFileSync(inReference('model/unet/config.json'), 'utf8')));
const weights = weightsOf('unet', (await openWeights(inReference('model/unet'))).tensors);
const layers = crossAttentionLayers(config);

const noise = new TorchGenerator(5);
const random = (...shape: number[]) => ({shape, data: noise.randn(shape)});

function toArray64(shape: readonly number[], data: Float32Array): Array64 {
  return {shape, data: Float64Array.from(data)};
}

/** softmax(scale · q·kᵀ) as the mean over heads: [B, N, M]. */
function meanWeights(q: Array64, k: Array64, {heads, scale}: Attention64): Array64 {
  const [batch, queries, channels] = q.shape as [number, number, number];
  const keys = k.shape[1]!;
  const width = channels / heads;
  const power = (b: number, i: number, j: number, head: number) => {
    const place = (d: number) => head * width + d;
    return Math.exp(scale * sum(width, d => get(q, [b, i, place(d)]) * get(k, [b, j, place(d)])));
  };
  return array64([batch, queries, keys], index => {
    const [b, i, j] = index as [number, number, number];
    const share = (head: number) => power(b, i, j, head) / sum(keys, other => power(b, i, other, head));
    return sum(heads, share) / heads;
  });
}

testProp(
  'weights are the softmax, averaged over heads, of any number of tokens',
  [
    fc.record({
      batch: fc.integer({min: 1, max: 2}),
      queries: fc.integer({min: 1, max: 9}),
      keys: fc.integer({min: 1, max: 40}),
      heads: fc.integer({min: 1, max: 3}),
      width: fc.constantFrom(4, 8, 16, 40),
    }),
  ],
  async (t, {batch, queries, keys, heads, width}) => {
    const options = {heads, scale: 1 / Math.sqrt(width)};
    const [q, k] = [random(batch, queries, heads * width), random(batch, keys, heads * width)];
    const [actual] = await runModel(symbols => attentionWeights(symbols.q, symbols.k, options), {q, k});
    const expected = meanWeights(toArray64(q.shape, q.data), toArray64(k.shape, k.data), options);
    t.true(relativeError(actual!, expected.data) < 1e-5);
    for (let place = 0; place < batch * queries; place++) {
      const shares = actual!.subarray(place * keys, (place + 1) * keys);
      t.true(shares.every(share => share >= 0));
      t.true(Math.abs(shares.reduce((total, share) => total + share) - 1) < 1e-5);
    }
  },
  {numRuns: 30},
);

type Symbols = Readonly<Record<string, Tensor>>;

/** A step with two images, of 16 tokens and of 4. */
function stepInputs({sample, timesteps, text, tokens, others, scales}: Symbols, dtype: DType) {
  return {
    sample: sample!,
    timeProjections: unetTimeProjections(weights, config, timesteps!, dtype),
    textKeyValues: unetTextKeyValues(weights, config, text!, dtype),
    images: [tokens, others].map(image => ({
      keyValues: unetTextKeyValues(weights, config, image!, dtype),
      scales: scales!,
    })),
  };
}

const rows = 2;
const inputs = {
  sample: random(1, config.inChannels, 10, 7),
  timesteps: {shape: [1], data: Float32Array.of(401)},
  text: random(rows, 7, config.crossAttentionDim),
  tokens: random(rows, 16, config.crossAttentionDim),
  others: random(rows, 4, config.crossAttentionDim),
  scales: random(layers.length, rows),
};

for (const dtype of ['float32', 'bfloat16'] as const) {
  test(`the prediction has the bits that it has without maps, ${dtype}`, async t => {
    const [plain] = await runModel(
      symbols => unet(weights, config, stepInputs(symbols, dtype), dtype),
      inputs,
    );
    const [observed] = await runModel(
      symbols => unetWithAttentionMaps(weights, config, stepInputs(symbols, dtype), dtype),
      inputs,
    );
    t.deepEqual(observed, plain);
  });

  test(`maps of each layer are the softmax of its queries and the images' keys, ${dtype}`, async t => {
    const seen: ObservedCrossAttention[] = [];
    const operands = await runModel(symbols => {
      seen.length = 0;
      unet(weights, config, stepInputs(symbols, dtype), dtype, observed => seen.push(observed));
      return seen.map(({query, images}) => [query, images.map(({key}) => key)]);
    }, inputs);
    const [, ...maps] = await runModel(
      symbols => unetWithAttentionMaps(weights, config, stepInputs(symbols, dtype), dtype),
      inputs,
    );
    t.deepEqual(seen.map(({path}) => path).sort(), layers.map(({path}) => path).sort());
    for (const [place, {path, query, options, height, width}] of seen.entries()) {
      t.is(height * width, query.dim(1));
      const [q, ...keys] = operands.slice(3 * place, 3 * place + 3) as [Float32Array, ...Float32Array[]];
      for (const [image, key] of keys.entries()) {
        const expected = meanWeights(
          toArray64(query.shape, q),
          toArray64([rows, image === 0 ? 16 : 4, query.dim(2)], key),
          options,
        );
        const map = maps[2 * layers.findIndex(layer => layer.path === path) + image]!;
        t.true(relativeError(map, expected.data) < 1e-5, `${path}, image ${image}`);
      }
    }
  });
}
