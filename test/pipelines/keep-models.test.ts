import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';

const picture = {width: 40, height: 40, channels: 3 as const, data: new Uint8Array(4800).fill(90)};

const options: GenerateOptions = {
  prompt: 'a lighthouse',
  ipAdapterImage: picture,
  instruction: 'use the composition',
  instructGuidanceScale: 2,
  image: picture,
  height: 64,
  width: 64,
  numInferenceSteps: 3,
  seed: 5,
};

const enough = new Error('enough');

const pixelsOf = async (pipeline: IPAdapterInstructPipeline, changes: Partial<GenerateOptions> = {}) =>
  (await pipeline.generate({...options, ...changes})).images[0]!.pixels!.data;

test.serial('after a generation the UNet is left; the next adds nothing and gives equal bits', async t => {
  const before = memoryUsage().bufferBytes;
  const pipeline = await IPAdapterInstructPipeline.random();
  const expected = pipeline.estimateMemory(options).weightBytes;
  const first = await pixelsOf(pipeline);
  const kept = memoryUsage().bufferBytes - before;
  t.true(kept > 0);
  t.is(kept, expected);
  t.deepEqual(await pixelsOf(pipeline), first);
  t.is(memoryUsage().bufferBytes - before, kept);
  await pipeline.dispose();
  t.is(memoryUsage().bufferBytes, before);
  while (memoryUsage().arenaBytes > 0) await sleep(5);
});

test.serial('after one that is aborted nothing else is left', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  await pixelsOf(pipeline);
  const before = memoryUsage().bufferBytes;
  for (const place of ['encode', 'step', 'decode']) {
    const controller = new AbortController();
    const onProgress = ({type}: {type: string}) => {
      if (type === place) controller.abort(enough);
    };
    const run = pipeline.generate({...options, onProgress, signal: controller.signal});
    t.is(await t.throwsAsync(run), enough);
    t.is(memoryUsage().bufferBytes, before, place);
  }
});

test.serial('with keepModels the weights stay, and the next generation adds none', async t => {
  const before = memoryUsage().bufferBytes;
  const pipeline = await IPAdapterInstructPipeline.random({keepModels: true});
  const first = await pixelsOf(pipeline);
  const kept = memoryUsage().bufferBytes;
  t.true(kept > before);
  t.is(pipeline.estimateMemory(options).weightBytes, 0);
  t.deepEqual(await pixelsOf(pipeline), first);
  t.is(memoryUsage().bufferBytes, kept);
  await pipeline.dispose();
  t.is(memoryUsage().bufferBytes, before);
});

test.serial('generations at the same time on one pipeline give what each gives alone', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  const requests: Partial<GenerateOptions>[] = [
    {numInferenceSteps: 9},
    {seed: 6, prompt: 'a boat'},
    {seed: 7, guidance: 'simple', instruction: 'use the style'},
    {seed: 8, height: 72},
  ];
  const alone: Float32Array[] = [];
  for (const request of requests) alone.push(await pixelsOf(pipeline, request));
  const before = memoryUsage().bufferBytes;
  // Each starts at another phase of those before it.
  const begun = requests.map(async (request, index) => {
    await sleep(40 * index);
    return pixelsOf(pipeline, request);
  });
  for (const [index, together] of (await Promise.all(begun)).entries()) {
    t.deepEqual(together, alone[index]!, `request ${index}`);
  }
  t.is(memoryUsage().bufferBytes, before);
});

test.serial('one that is aborted does not disturb another', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  const expected = await pixelsOf(pipeline);
  const fresh = await IPAdapterInstructPipeline.random();
  const controller = new AbortController();
  const aborted = fresh.generate({...options, signal: controller.signal});
  const other = pixelsOf(fresh);
  setTimeout(() => controller.abort(enough), 30);
  t.is(await t.throwsAsync(aborted), enough);
  t.deepEqual(await other, expected);
  await fresh.dispose();
});

test.serial('the estimate counts the weights that stay', async t => {
  await using streaming = await IPAdapterInstructPipeline.random();
  await using kept = await IPAdapterInstructPipeline.random({keepModels: true});
  const bytesOf = (pipeline: IPAdapterInstructPipeline, name?: string) => {
    const plans = pipeline.plan(options).filter(plan => name === undefined || plan.name === name);
    const recipes = new Map(plans.flatMap(plan => plan.recipes.map(recipe => [recipe.key, recipe])));
    const {weights} = pipeline.models.engine;
    return [...recipes.values()].reduce((sum, recipe) => sum + weights.plan(recipe).bytes, 0);
  };
  t.is(kept.estimateMemory(options).weightBytes, bytesOf(kept));
  t.is(streaming.estimateMemory(options).weightBytes, bytesOf(kept, 'unet'));
  t.true(bytesOf(kept, 'unet') < 0.8 * bytesOf(kept));
});
