import test from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {PicturePool} from '../../../lib/training/batches/picture-pool.ts';
import {preparePicture} from '../../../lib/training/batches/prepare-pictures.ts';
import {liveThreads} from '../../_helpers/live-threads.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

const form = {buckets: [[16, 16]]} as const;

test.serial(
  'many pictures at a time are those of one at a time, and each is told what is wrong with it',
  async t => {
    const {samples} = await openDataset(await writeTrainingSet(t, {sizes: [[20, 16]], bad: [1]}));
    const tasks = Array.from({length: 150}, (_, i) => ({picture: samples[i % samples.length]!.target, form}));
    const expected = await Promise.all(tasks.map(preparePicture));
    t.true(expected.some(picture => 'reason' in picture));
    for (const numWorkers of [0, 1, 2]) {
      const pool = new PicturePool(numWorkers);
      t.deepEqual(await Promise.all(tasks.map(task => pool.run(task))), expected);
      await pool.close();
      t.is(liveThreads.size, 0);
    }
  },
);

test.serial('closed at once, a pool still prepares what it was asked for', async t => {
  const {samples} = await openDataset(await writeTrainingSet(t));
  const pool = new PicturePool(1);
  const picture = pool.run({picture: samples[0]!.target, form});
  await pool.close();
  t.true('pixels' in (await picture));
  t.is(liveThreads.size, 0);
});
