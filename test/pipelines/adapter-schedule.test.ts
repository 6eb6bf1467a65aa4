import test from 'ava';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {scalesPerLayer} from '../../lib/pipelines/adapter-scales.ts';
import {adapterSchedule} from '../../lib/pipelines/adapter-schedule.ts';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {rowsOf} from '../../lib/pipelines/rows.ts';
import {instruct, resolved} from '../_helpers/resolved-samples.ts';

const layers = crossAttentionLayers(parseUNetConfig({cross_attention_dim: 768, attention_head_dim: 8}));

function schedule(options: Partial<GenerateOptions>, totalSteps = 10) {
  const all = {prompt: 'p', ipAdapterImage: 'c.png', instruction: 'use the style', ...options};
  const {slots, samples} = resolved(all, instruct);
  const {autoScale = true} = options;
  return adapterSchedule(slots[0]!, 0, {
    samples,
    rows: rowsOf(samples, 'plain'),
    layers,
    totalSteps,
    autoScale,
  });
}

test('SD 1.5 has sixteen cross-attentions', t => {
  t.is(layers.length, 16);
});

test('the default is 0.7, and 0.5 for composition', t => {
  t.deepEqual(schedule({})(0), Array(16).fill([0.7, 0.7]));
  t.deepEqual(
    schedule({instruction: 'use the composition'})(0)!.map(row => row.map(x => x.toFixed(3))),
    Array(16).fill(['0.500', '0.500']),
  );
  t.deepEqual(
    schedule({instruction: 'use the composition', autoScale: false})(0),
    Array(16).fill([0.7, 0.7]),
  );
});

test('start and end leave steps out', t => {
  const active = schedule({ipAdapterStart: 0.2, ipAdapterEnd: 0.5});
  t.deepEqual(
    Array.from({length: 10}, (_, step) => active(step) !== undefined),
    [false, false, true, true, true, false, false, false, false, false],
  );
});

test('a function gives the scale per step; 0 leaves the adapter out', t => {
  const scales = schedule({ipAdapterScale: (step, total) => step / total});
  t.is(scales(0), undefined);
  t.is(scales(5)![3]![0], 0.5);
});

test('blocks by diffusers’ names; what is not named is 0', t => {
  const scales = scalesPerLayer({down: {block_2: [0, 1]}, up: {block_1: 0.5}}, layers);
  const named = layers.map(
    ({block, attentionIndex}, index) => [block, attentionIndex, scales[index]] as const,
  );
  for (const [block, attentionIndex, scale] of named) {
    const expected = block === 'up.block_1' ? 0.5 : block === 'down.block_2' && attentionIndex === 1 ? 1 : 0;
    t.is(scale, expected, `${block}.${attentionIndex}`);
  }
});

test('a list has the weight of each layer', t => {
  const list = layers.map((_, index) => index / 16);
  t.deepEqual(scalesPerLayer(list, layers), list);
  t.deepEqual(
    schedule({ipAdapterScale: list})(0),
    list.map(weight => [weight, weight]),
  );
  t.throws(() => scalesPerLayer(list.slice(1), layers), {message: /expected 16 numbers, .* received 15/});
  t.throws(() => scalesPerLayer(list.with(3, Number.NaN), layers), {
    message: /^ipAdapterScale\[3\]: .*finite/,
  });
});

test('composition takes 0.2 off the largest weight, and as much of the others in proportion', t => {
  const scales = schedule({
    instruction: 'use the composition',
    ipAdapterScale: blockPreset('comfyui:composition', 0.8),
  })(0)!;
  const weights = Object.fromEntries(layers.map(({path}, index) => [path.slice(0, 26), scales[index]![0]!]));
  t.is(weights['down_blocks.2.attentions.1'], 0.8 - 0.2);
  t.true(Math.abs(weights['down_blocks.2.attentions.0']! - 0.25 * 0.6) < 1e-12);
  t.is(Object.values(weights).filter(weight => weight === 0).length, 14);
  const nothing = schedule({instruction: 'use the pose', ipAdapterScale: Array(16).fill(0)});
  t.is(nothing(0), undefined);
});

test('refuses blocks without attention, lists of another length, spans the wrong way round', t => {
  t.throws(() => scalesPerLayer({down: {block_3: 1}}, layers), {message: /got down\.block_3/});
  t.throws(() => scalesPerLayer({up: {block_1: [1]}}, layers), {message: /a number or 3 numbers, got 1/});
  t.throws(() => scalesPerLayer(Number.NaN, layers), {message: /finite/});
  t.throws(() => scalesPerLayer('comfyui:ease-in' as unknown as number, layers), {
    message: /^ipAdapterScale: .*blockPreset.* received 'comfyui:ease-in'/,
  });
  t.throws(() => schedule({ipAdapterStart: 0.6, ipAdapterEnd: 0.5}), {message: /at most ipAdapterEnd/});
});
