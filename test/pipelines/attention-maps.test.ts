import {testProp} from '@fast-check/ava';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {attentionMapGrid} from '../../lib/pipelines/attention-map-grid.ts';
import {AttentionMapSums} from '../../lib/pipelines/attention-maps.ts';
import type {GeneratedImage} from '../../lib/pipelines/generate.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {Row} from '../../lib/pipelines/rows.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const pipeline = await IPAdapterInstructPipeline.load({
  ...instructModel,
  adapters: {classic: inReference('ip-adapter.safetensors')},
  controlNets: [inReference('controlnet')],
});
test.after.always(() => pipeline.dispose());

const size = {height: 64, width: 72};
const withoutImage = {prompt: 'a fox', numInferenceSteps: 3, seed: 3, ...size} as const;
const base = {...withoutImage, ipAdapterImage: conditionImage, instruction: 'use the style'} as const;

async function generate(options: GenerateOptions): Promise<GeneratedImage> {
  return (await pipeline.generate(options)).images[0]!;
}

async function mapsOf(options: GenerateOptions): Promise<readonly HostTensor[]> {
  return (await generate({...options, attentionMaps: true})).attentionMaps!;
}

function expectShares(t: ExecutionContext, {shape, data}: HostTensor): void {
  const [tokens, ...space] = shape as [number, number, number];
  const pixels = space[0] * space[1];
  t.true(data.every(share => share >= 0));
  const sums = Array.from({length: pixels}, (_, pixel) =>
    Array.from({length: tokens}, (__, token) => data[token * pixels + pixel]!).reduce((a, b) => a + b),
  );
  t.true(sums.every(sum => Math.abs(sum - 1) < 1e-5));
}

for (const [what, options] of Object.entries<Partial<GenerateOptions>>({
  'an instruction': {},
  'three-way guidance': {guidance: 'three-way', instructGuidanceScale: 2, guidanceScale: 5},
  'a branch that guidance would leave out': {guidance: 'simple', guidanceScale: 0},
  'a ControlNet': {controlImage: conditionImage},
  'a mask, which makes attention of its own': {
    ipAdapterImage: undefined as never,
    instruction: undefined as never,
    conditions: [
      {image: conditionImage, mask: {width: 1, height: 2, channels: 1, data: Uint8Array.of(255, 90)}},
    ],
  },
})) {
  test(`pictures have the same bits with maps and without: ${what}`, async t => {
    const plain = await generate({...base, ...options});
    t.false('attentionMaps' in plain);
    const observed = await generate({...base, ...options, attentionMaps: true});
    t.deepEqual(observed.pixels!.data, plain.pixels!.data);
    t.is(observed.attentionMaps!.length, 1);
    const [map] = observed.attentionMaps!;
    t.deepEqual(map!.shape, [16, 8, 9]);
    expectShares(t, map!);
  });
}

test('a sample of a batch has the maps that it has alone', async t => {
  const instructions = ['use the style', 'use the composition'];
  const {images} = await pipeline.generate({
    ...base,
    instruction: instructions,
    seed: [3, 4],
    attentionMaps: true,
  });
  for (const [index, instruction] of instructions.entries()) {
    const alone = await mapsOf({...base, instruction, seed: 3 + index});
    t.deepEqual(images[index]!.attentionMaps, alone);
  }
  t.true(relativeError(images[0]!.attentionMaps![0]!.data, images[1]!.attentionMaps![0]!.data) > 1e-4);
});

test('several conditions have maps each, of their own adapters and images', async t => {
  const maps = await mapsOf({
    ...withoutImage,
    conditions: [
      {image: [conditionImage, conditionImage], scale: 0.4},
      {image: conditionImage, adapter: 'classic', scale: 0.3},
    ],
  });
  t.deepEqual(
    maps.map(({shape}) => shape),
    [
      [32, 8, 9],
      [4, 8, 9],
    ],
  );
  for (const map of maps) expectShares(t, map);
  // Two equal images have equal keys.
  const [first, second] = [maps[0]!.data.subarray(0, 16 * 72), maps[0]!.data.subarray(16 * 72)];
  t.deepEqual(first, second);
});

test('steps and layers count in which the scale is not 0', async t => {
  const first = await mapsOf({...base, ipAdapterEnd: 0.4});
  const byStep = await mapsOf({...base, ipAdapterScale: step => (step === 0 ? 0.7 : 0)});
  t.deepEqual(byStep, first);
  t.notDeepEqual(await mapsOf({...base, ipAdapterEnd: 0.7}), first);
  const ofMid = await mapsOf({...base, ipAdapterEnd: 0.4, ipAdapterScale: {mid: 0.7}});
  t.notDeepEqual(ofMid, first);
  for (const map of ofMid) expectShares(t, map);
});

test('plans and estimates are of the programs that run', t => {
  const names = (attentionMaps: boolean) =>
    pipeline.plan({...base, attentionMaps}).map(({name}) => name.replace(/\..*/, ''));
  t.deepEqual(names(true), names(false));
  const nodes = (attentionMaps: boolean) => {
    const step = pipeline.plan({...base, attentionMaps}).find(({name}) => /^unet(\.observed)?$/.test(name));
    return step!.graph.nodes.length;
  };
  t.true(nodes(true) > nodes(false));
});

for (const [what, options, message] of [
  ['no condition image', withoutImage, /^attentionMaps: expected a condition image.*ipAdapterImage/],
  [
    'a scale of 0',
    {...base, ipAdapterScale: 0},
    /^attentionMaps: .* condition 0 of sample 0 has a scale of 0/,
  ],
  [
    'a span without a step',
    {...base, ipAdapterEnd: 0},
    /scale of 0 in all 3\. Change its scale, start or end/,
  ],
] as const) {
  test(`${what} is an error`, async t => {
    await t.throwsAsync(pipeline.generate({...options, attentionMaps: true}), {
      instanceOf: ArgumentError,
      message,
    });
  });
}

test('a grid has a cell for each token, in rows of one condition', async t => {
  const generated = await generate({...base, attentionMaps: true});
  const grid = await attentionMapGrid(generated);
  const caption = 2 * 28;
  t.like(grid, {width: 8 + 4 * (72 + 8), height: 8 + 4 * (64 + caption + 8)});
  const both = await attentionMapGrid({
    ...generated,
    attentionMaps: [generated.attentionMaps![0]!, generated.attentionMaps![0]!],
  });
  t.like(both, {width: 8 + 4 * (72 + 8), height: 8 + 8 * (64 + caption + 8)});
});

test('a grid of even maps is dark, and needs a picture and maps', async t => {
  const latents = {shape: [1, 4, 2, 2], data: new Float32Array(16)};
  const even = {shape: [4, 2, 2], data: new Float32Array(16).fill(0.25)};
  const image = noiseImage(16, 16);
  const grid = await attentionMapGrid({image, latents, seed: 0, attentionMaps: [even]});
  const corner = 3 * (8 * grid.width + 8);
  t.true(grid.data.subarray(corner, corner + 3 * 16).every(value => value <= 0.3 * 255 + 1));

  await t.throwsAsync(attentionMapGrid({image, latents, seed: 0}), {
    instanceOf: ArgumentError,
    message: /without maps.*attentionMaps: true/,
  });
  await t.throwsAsync(attentionMapGrid({latents, seed: 0, attentionMaps: [even]}), {
    instanceOf: ArgumentError,
    message: /without a picture/,
  });
});

const noTokens = {
  images: undefined,
  imageWeights: [1],
  combine: 'concat',
  content: '',
  instruction: '',
  prompt: '',
};
const row = (sample: number, kind: 'full' | 'unconditional'): Row => ({
  sample,
  branch: {kind, coefficient: 1},
  text: '',
  isPrompt: kind === 'full',
  tokens: [noTokens as Row['tokens'][number]],
});

test('layers are brought to one size, and count once for each step', t => {
  const scales = [
    [0.7, 0.7],
    [0.7, 0],
  ];
  const rows = [row(0, 'full'), row(1, 'full')];
  const sums = new AttentionMapSums(rows, [() => scales], 2);
  const one = {shape: [2, 1, 1, 2], data: Float32Array.of(0.5, 0.5, 0.25, 0.75)};
  const two = {shape: [2, 1, 2, 2], data: Float32Array.of(0, 1, 1, 0, 0.5, 0.5, 0.5, 0.5)};
  sums.add({places: [0, 1], slots: [0], scales: [scales], maps: [[one], [two]]});
  sums.add({places: [0, 1], slots: [0], scales: [scales], maps: [[one], [two]]});
  t.deepEqual(sums.mapsOf(0, {height: 1, width: 2}), [
    {shape: [2, 1, 2], data: Float32Array.of(0.25, 0.75, 0.75, 0.25)},
  ]);
  // Of the second sample the second layer has no part.
  t.deepEqual(sums.mapsOf(1, {height: 1, width: 2}), [
    {shape: [2, 1, 2], data: Float32Array.of(0.25, 0.25, 0.75, 0.75)},
  ]);
});

test('rows may come in groups', t => {
  const rows = [row(0, 'full'), row(1, 'full')];
  const sums = new AttentionMapSums(rows, [() => [[0.7, 0.7]]], 1);
  const oneRow = (first: number) => [[{shape: [1, 1, 1, 2], data: Float32Array.of(first, 1 - first)}]];
  sums.add({places: [1], slots: [0], scales: [[[0.7]]], maps: oneRow(0.25)});
  sums.add({places: [0], slots: [0], scales: [[[0.7]]], maps: oneRow(0.5)});
  const shares = [0, 1].map(sample => sums.mapsOf(sample, {height: 1, width: 1})[0]!.data[0]);
  t.deepEqual(shares, [0.5, 0.25]);
});

const side = fc.integer({min: 1, max: 5});
testProp(
  'sums are means: each share between the least and the largest, in sum 1, at any size',
  [
    fc.record({height: side, width: side}),
    fc.array(fc.record({height: side, width: side}), {minLength: 1, maxLength: 3}),
    fc.integer({min: 1, max: 5}),
    fc.integer({min: 1, max: 3}),
    fc.infiniteStream(fc.double({min: 0.01, max: 1, noNaN: true})),
  ],
  (t, size, layers, tokens, steps, numbers) => {
    const rows = [row(0, 'full'), row(0, 'unconditional')];
    const scales = layers.map(() => [0.7, 0.7]);
    const sums = new AttentionMapSums(rows, [() => scales], steps);
    const seen: number[] = [];
    for (let step = 0; step < steps; step++) {
      const maps = layers.map(({height, width}) => {
        const shares = Array.from({length: height * width}, () => {
          const raw = Array.from({length: tokens}, () => numbers.next().value as number);
          const total = raw.reduce((a, b) => a + b);
          return raw.map(value => Math.fround(value / total));
        }).flat();
        seen.push(...shares);
        const data = Float32Array.from([...shares, ...shares.map(() => Number.NaN)]);
        return [{shape: [2, height, width, tokens], data}];
      });
      sums.add({places: [0, 1], slots: [0], scales: [scales], maps});
    }
    const [map] = sums.mapsOf(0, size);
    t.deepEqual(map!.shape, [tokens, size.height, size.width]);
    expectShares(t, map!);
    const [low, high] = [Math.min(...seen) - 1e-6, Math.max(...seen) + 1e-6];
    t.true(map!.data.every(share => share >= low && share <= high));
  },
);
