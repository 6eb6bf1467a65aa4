import test from 'ava';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';

test('where guidance leaves the prompt out, clipSkip changes nothing', async t => {
  const pipeline = await IPAdapterInstructPipeline.random({size: 'tiny', device: 'cpu'});
  const pixelsOf = async (clipSkip: number, guidanceScale: number) => {
    const shared = {prompt: 'a fox', numInferenceSteps: 1, height: 16, width: 16, seed: 1};
    return (await pipeline.generate({...shared, clipSkip, guidanceScale})).images[0]!.pixels!.data;
  };
  t.deepEqual(await pixelsOf(1, 0), await pixelsOf(0, 0));
  t.notDeepEqual(await pixelsOf(1, 2), await pixelsOf(0, 2));
  await pipeline.dispose();
});
