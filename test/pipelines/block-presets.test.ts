import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {scalesPerLayer} from '../../lib/pipelines/adapter-scales.ts';
import {type BlockPreset, blockPreset, blockPresets} from '../../lib/pipelines/block-presets.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {conditionImage} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const layers = crossAttentionLayers(parseUNetConfig({cross_attention_dim: 768, attention_head_dim: 8}));

/** Weights by diffusers' names of the transformers. */
function named(name: BlockPreset, scale?: number): Record<string, number> {
  const scales = scalesPerLayer(blockPreset(name, scale), layers);
  const round = (value: number) => Number(value.toFixed(9));
  return Object.fromEntries(
    layers.map(({path}, index) => [path.replace('.transformer_blocks.0.attn2', ''), round(scales[index]!)]),
  );
}

/** Each list has a block's transformers. */
function expected(down: readonly number[][], mid: number, up: readonly number[][]): Record<string, number> {
  const ofBlocks = (part: string, first: number, blocks: readonly number[][]) =>
    blocks.flatMap((weights, block) =>
      weights.map((weight, i) => [`${part}_blocks.${first + block}.attentions.${i}`, weight] as const),
    );
  return Object.fromEntries([
    ...ofBlocks('down', 0, down),
    ...ofBlocks('up', 1, up),
    ['mid_block.attentions.0', mid],
  ]);
}

const all = (weight: number) => [weight, weight, weight];
const pair = (weight: number) => [weight, weight];

test('weights that depend on the layer are those of ComfyUI, which counts as layers run', t => {
  t.deepEqual(
    named('comfyui:ease-in'),
    expected(
      [
        [1, 0.940625],
        [0.88125, 0.821875],
        [0.7625, 0.703125],
      ],
      0.64375,
      [
        [0.584375, 0.525, 0.465625],
        [0.40625, 0.346875, 0.2875],
        [0.228125, 0.16875, 0.109375],
      ],
    ),
  );
  t.deepEqual(
    named('comfyui:ease-out'),
    expected(
      [
        [0.05, 0.109375],
        [0.16875, 0.228125],
        [0.2875, 0.346875],
      ],
      0.40625,
      [
        [0.465625, 0.525, 0.584375],
        [0.64375, 0.703125, 0.7625],
        [0.821875, 0.88125, 0.940625],
      ],
    ),
  );
  t.deepEqual(
    named('comfyui:ease-in-out', 2),
    expected(
      [
        [0.1, 0.3375],
        [0.575, 0.8125],
        [1.05, 1.2875],
      ],
      1.525,
      [
        [1.7625, 2, 1.7625],
        [1.525, 1.2875, 1.05],
        [0.8125, 0.575, 0.3375],
      ],
    ),
  );
});

test('weights that depend on the part of the UNet are those of ComfyUI', t => {
  for (const [name, down, mid, up] of [
    ['linear', 1, 1, 1],
    ['weak-input', 0.2, 1, 1],
    ['weak-middle', 1, 0.2, 1],
    ['weak-output', 1, 1, 0.2],
    ['strong-middle', 0.2, 1, 0.2],
  ] as const) {
    const weights = expected(Array(3).fill(pair(down)), mid, Array(3).fill(all(up)));
    t.deepEqual(named(`comfyui:${name}`), weights, name);
  }
});

test('layers of style and composition are those of ComfyUI', t => {
  const [none, whole] = [pair(0), pair(1)];
  t.deepEqual(
    named('comfyui:style-transfer', 0.5),
    expected([pair(0.5), pair(0.5), none], 0, [[0, 0, 0.5], all(0.5), all(0.5)]),
  );
  t.deepEqual(named('comfyui:composition'), expected([none, none, [0.25, 1]], 0, [all(0), all(0), all(0)]));
  t.deepEqual(
    named('comfyui:strong-style-transfer'),
    expected([whole, whole, none], 1, [all(1), all(1), all(1)]),
  );
  t.deepEqual(
    named('comfyui:style-and-composition'),
    expected([whole, whole, [0.25, 1]], 0, [[0, 0, 1], all(1), all(1)]),
  );
});

test('blocks are those of InvokeAI’s and InstantStyle’s code', t => {
  const [none, whole] = [pair(0), pair(1)];
  const style = expected([none, none, none], 0, [all(1), all(0), all(0)]);
  t.deepEqual(named('invokeai:full'), expected([whole, whole, whole], 1, [all(1), all(1), all(1)]));
  t.deepEqual(named('invokeai:style'), style);
  t.deepEqual(named('invokeai:composition'), expected([none, none, whole], 1, [all(0), all(0), all(0)]));
  t.deepEqual(named('invokeai:style-strong'), expected([whole, whole, none], 0, [all(1), all(1), all(0)]));
  t.deepEqual(named('instantstyle:style'), style);
  t.deepEqual(
    named('instantstyle:style-layout', 0.5),
    expected([none, none, pair(0.5)], 0.5, [all(0.5), all(0), all(0)]),
  );
});

const scalesOf = (name: BlockPreset, scale = 1) => scalesPerLayer(blockPreset(name, scale), layers);

testProp(
  'every preset has factors from 0 to 1, times the scale',
  [fc.constantFrom(...blockPresets), fc.double({min: -5, max: 5, noNaN: true})],
  (t, name, scale) => {
    const factors = scalesOf(name);
    t.true(factors.every(factor => factor >= 0 && factor <= 1));
    t.true(Math.max(...factors) > 0.9);
    t.true(scalesOf(name, scale).every((weight, layer) => weight === scale * factors[layer]!));
  },
);

test('opposite presets of ComfyUI have equal sums in every layer', t => {
  for (const [one, other] of [
    ['comfyui:ease-in', 'comfyui:ease-out'],
    ['comfyui:ease-in-out', 'comfyui:reverse-in-out'],
  ] as const) {
    const [a, b] = [scalesOf(one), scalesOf(other)];
    t.true(a.every((weight, layer) => Math.abs(weight + b[layer]! - 1.05) < 1e-12));
  }
});

test('another name, and a scale that is no number, are refused', t => {
  t.throws(() => blockPreset('style' as BlockPreset), {
    instanceOf: ArgumentError,
    message: /^name: expected one of instantstyle:style, .* but received 'style'/,
  });
  t.throws(() => blockPreset('toString' as BlockPreset), {instanceOf: ArgumentError});
  t.throws(() => blockPreset('comfyui:linear', Number.NaN), {instanceOf: ArgumentError, message: /^scale/});
});

test('a pipeline takes presets by block and lists by layer, and refuses lists for another UNet', async t => {
  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  t.teardown(() => pipeline.dispose());
  const base = {prompt: 'a fox', instruction: 'use the style', numInferenceSteps: 2, seed: 3} as const;
  const size = {height: 64, width: 64, outputType: 'latent', ipAdapterImage: conditionImage} as const;
  const latents = async (ipAdapterScale: ReturnType<typeof blockPreset>) => {
    const {images} = await pipeline.generate({...base, ...size, ipAdapterScale});
    return images[0]!.latents.data;
  };
  // Down 3, up 6 and mid 1: up.block_1 comes first among those of the way up.
  const list = [0, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 0];
  const byBlock = await latents(blockPreset('instantstyle:style', 0.5));
  t.deepEqual(await latents(list), byBlock);
  const evenly = await latents(Array(10).fill(0.5));
  t.deepEqual(evenly, await latents(blockPreset('comfyui:linear', 0.5)));
  t.true(relativeError(evenly, byBlock) > 1e-3);
  await t.throwsAsync(latents(blockPreset('comfyui:ease-in')), {
    instanceOf: ArgumentError,
    message: /^ipAdapterScale: expected 10 numbers, one for each cross-attention .* received 16/,
  });
});
