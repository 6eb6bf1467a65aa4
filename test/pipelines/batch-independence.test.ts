import test from 'ava';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const picture = (seed: number) => ({
  width: 40,
  height: 30,
  channels: 3 as const,
  data: Uint8Array.from({length: 40 * 30 * 3}, (_, index) => (index * (seed + 3) * 7919) % 256),
});

const samples = [
  {prompt: 'a lighthouse', ipAdapterImage: picture(1), instruction: 'use the style', seed: 1},
  {prompt: 'a boat at dusk', ipAdapterImage: picture(2), instruction: 'use the composition', seed: 2},
  {prompt: '', ipAdapterImage: picture(1), instruction: 'use the face', seed: 1},
  {prompt: 'a cactus', ipAdapterImage: picture(3), instruction: 'use the object', seed: 77},
];

test('a batch of different prompts, images, instructions and seeds gives each sample the bits that it gives alone', async t => {
  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  const shared = {
    negativePrompt: 'blurry',
    numInferenceSteps: 3,
    height: 64,
    width: 64,
    guidanceScale: 5,
    instructGuidanceScale: 2,
    scheduler: 'euler-ancestral',
  };
  const batch = await pipeline.generate({
    ...shared,
    prompt: samples.map(sample => sample.prompt),
    ipAdapterImage: samples.map(sample => sample.ipAdapterImage),
    instruction: samples.map(sample => sample.instruction),
    seed: samples.map(sample => sample.seed),
  });
  for (const [index, sample] of samples.entries()) {
    const alone = await pipeline.generate({...shared, ...sample});
    const [expected, got] = [alone.images[0]!, batch.images[index]!];
    t.deepEqual(got.latents.data, expected.latents.data, `latents of sample ${index}`);
    t.deepEqual(got.pixels!.data, expected.pixels!.data, `pixels of sample ${index}`);
    t.is(got.seed, sample.seed);
  }
  // The first and third share picture and seed: only prompt and instruction tell them apart.
  t.true(relativeError(batch.images[0]!.latents.data, batch.images[2]!.latents.data) > 1e-3);
  await pipeline.dispose();
});

test('the same call gives the same bits', async t => {
  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  const options = {...samples[1]!, numInferenceSteps: 2, height: 64, width: 64};
  const [first, second] = [await pipeline.generate(options), await pipeline.generate(options)];
  t.deepEqual(first.images[0]!.pixels!.data, second.images[0]!.pixels!.data);
  await pipeline.dispose();
});
