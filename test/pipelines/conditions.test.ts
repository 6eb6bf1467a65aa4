import test from 'ava';
import type {RawImage} from '../../lib/images/image.ts';
import type {Condition, GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {conditionImage as image, instructModel} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const pipeline = await IPAdapterInstructPipeline.load(instructModel);
test.after.always(() => pipeline.dispose());

const base = {prompt: 'a fox', numInferenceSteps: 2, height: 64, width: 64, seed: 3} as const;
const style = {image, instruction: 'use the style'};

async function latents(options: Partial<GenerateOptions>): Promise<Float32Array> {
  const {images} = await pipeline.generate({...base, ...options});
  return images[0]!.latents.data;
}

function plane(valueAt: (x: number) => number): RawImage {
  const data = Uint8Array.from({length: 64 * 64}, (_, i) => valueAt(i % 64));
  return {width: 64, height: 64, channels: 1, data};
}

test('a single condition is what the options of their own say', async t => {
  const own = await latents({
    ipAdapterImage: image,
    instruction: 'use the style',
    ipAdapterScale: 0.6,
    ipAdapterEnd: 0.5,
  });
  t.deepEqual(await latents({conditions: [{...style, scale: 0.6, end: 0.5}]}), own);
});

test('a white mask changes nothing; a black one leaves the condition out; grey is in between', async t => {
  const [plain, without] = [await latents({conditions: [style]}), await latents({})];
  const masked = (value: number) =>
    latents({guidance: 'simple', conditions: [{...style, mask: plane(() => value)}]});
  t.true(relativeError(await masked(255), plain) < 1e-5);
  // The instruction's guidance scale differs from that of text alone.
  const scaled = await latents({guidanceScale: 6});
  t.true(relativeError(await masked(0), scaled) < 1e-5);
  t.true(relativeError(scaled, without) > 1e-3);
  const grey = await latents({conditions: [{...style, scale: 0.7 * (51 / 255)}]});
  t.true(relativeError(await masked(51), grey) < 1e-5);
});

test('regions have instructions of their own', async t => {
  const [left, right] = [plane(x => (x < 32 ? 255 : 0)), plane(x => (x < 32 ? 0 : 255))];
  const of = (...instructions: string[]): Condition[] =>
    [left, right].map((mask, i) => ({image, mask, instruction: instructions[i]!}));
  const [a, b] = ['use the style', 'use the face'];
  const both = await latents({conditions: of(a, b)});
  t.true(relativeError(both, await latents({conditions: of(b, a)})) > 1e-3);
  t.deepEqual(both, await latents({conditions: of(a, b)}));
  // The same everywhere is one condition without regions.
  t.true(
    relativeError(
      await latents({conditions: of(a, a)}),
      await latents({conditions: [{image, instruction: a}]}),
    ) < 0.05,
  );
});

test('a condition may end while another goes on', async t => {
  const first = {...style, scale: 0.4};
  const second = {image, instruction: 'use the face', scale: 0.5};
  const half = await latents({conditions: [first, {...second, end: 0.5}]});
  t.true(relativeError(half, await latents({conditions: [first, second]})) > 1e-4);
  t.true(relativeError(half, await latents({conditions: [first]})) > 1e-4);
});

test('several images are read as one, and equal ones as a single one', async t => {
  const single = await latents({conditions: [style]});
  const combined = (changes: Partial<Condition>) =>
    latents({conditions: [{...style, image: [image, image], ...changes}]});
  t.true(relativeError(await combined({combine: 'average'}), single) < 1e-5);
  t.true(relativeError(await combined({combine: 'add', imageWeights: [0.75, 0.25]}), single) < 1e-5);
  // Equal keys share their weight.
  t.true(relativeError(await combined({combine: 'concat'}), single) < 1e-5);
  const other = plane(x => 4 * x);
  const mixed = await combined({image: [image, other], combine: 'norm-average'});
  t.true(relativeError(mixed, single) > 1e-3);
});

test('plans have the programs of every condition', t => {
  const counts = (conditions: Condition[]) =>
    pipeline.plan({...base, conditions}).filter(({name}) => name === 'adapter.tokens').length;
  t.is(counts([style]), 1);
  t.is(counts([style, {image: [image, image], mask: plane(() => 255)}]), 2);
  // Without the baseline, which is what the process holds and changes from call to call.
  const bytes = (conditions: Condition[]) => {
    const {arenaBytes, heldBytes} = pipeline.estimateMemory({...base, conditions});
    return arenaBytes + heldBytes;
  };
  t.true(bytes([style, {image: [image, image]}]) > bytes([style]));
});
