import test from 'ava';
import {ProfileSink} from '../../lib/engine/profile.ts';
import {EncodingCache} from '../../lib/pipelines/encoding-cache.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';

const picture = (seed: number) => ({
  width: 40,
  height: 30,
  channels: 3 as const,
  data: Uint8Array.from({length: 40 * 30 * 3}, (_, index) => (index * (seed + 3) * 7919) % 256),
});

// What is kept and what goes is tested with the cache of trainings: test/training/batches/text-cache.test.ts.
test('calls at the same time for the same input keep it once', async t => {
  const cache = new EncodingCache(16);
  let calls = 0;
  const encode = async () => {
    calls++;
    return [{shape: [1, 2], data: Float32Array.of(1, 2)}];
  };
  await Promise.all([cache.encode('a', ['x'], encode), cache.encode('a', ['x'], encode)]);
  t.is(calls, 2);
  // Kept twice over, its 8 bytes would leave no room for another.
  await cache.encode('a', ['y'], encode);
  await cache.encode('a', ['x'], encode);
  t.is(calls, 3);
});

test('a pipeline with a cache gives the same bits, and encodes each prompt, instruction and image once', async t => {
  const fresh = await IPAdapterInstructPipeline.random({size: 'tiny'});
  const keeping = await IPAdapterInstructPipeline.random({size: 'tiny', encodingCacheBytes: 2 ** 20});
  const shared = {numInferenceSteps: 2, height: 64, width: 64, seed: 1};
  const requests = [
    {prompt: 'a boat', ipAdapterImage: picture(1), instruction: 'use the style'},
    {prompt: 'a boat', ipAdapterImage: picture(2), instruction: 'use the style'},
    {prompt: 'a house', ipAdapterImage: picture(1), instruction: 'use the face'},
    {prompt: 'a house', ipAdapterImage: {...picture(2)}, instruction: 'use the style'},
  ];
  const encoders: string[][] = [];
  for (const request of requests) {
    const profile = new ProfileSink();
    const kept = await keeping.generate({...shared, ...request, profile});
    const expected = await fresh.generate({...shared, ...request});
    t.deepEqual(kept.images[0]!.pixels!.data, expected.images[0]!.pixels!.data);
    const functions = new Set(profile.rows.map(row => row.function));
    encoders.push(['text_encoder', 'image_encoder'].filter(name => functions.has(name)));
  }
  t.deepEqual(encoders, [['text_encoder', 'image_encoder'], ['image_encoder'], ['text_encoder'], []]);
  await fresh.dispose();
  await keeping.dispose();
});
