import {appendFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {worldSample, worldTasks} from '../../lib/datasets/world/tasks.ts';
import {writeWorldDataset} from '../../lib/datasets/world/write-world.ts';
import {FileError} from '../../lib/errors.ts';
import {factorsOf, readSampleFactors} from '../../lib/evaluation/sample-factors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

for (const shardSize of [undefined, 2]) {
  test(`samples of ${shardSize === undefined ? 'a manifest' : 'shards'} find their factors`, async t => {
    const folder = await tempFolder(t);
    await writeWorldDataset(folder, {count: 5, size: 16, seed: 7, split: 'validation', shardSize});
    const factors = await readSampleFactors(folder);
    const {samples} = await openDataset(folder);
    for (const [i, sample] of samples.entries()) {
      const {target, condition} = worldSample(worldTasks[i]!, 'validation', 7, i);
      const found = factorsOf(sample, factors);
      t.deepEqual(found, {target, condition: {factors: condition.factors}});
    }
    const unknown = t.throws(() => factorsOf(samples[1]!, new Map()), {instanceOf: FileError});
    t.regex(unknown!.message, /under the key '[^']*1', got none/);
  });
}

test('a set without factors, or with a damaged line, is told', async t => {
  const folder = await tempFolder(t);
  await writeWorldDataset(folder, {count: 1, size: 16, seed: 7, split: 'validation'});
  await appendFile(join(folder, 'factors.jsonl'), '{"key": "x"}\n');
  await t.throwsAsync(readSampleFactors(folder), {instanceOf: FileError, message: /factors\.jsonl/});
  await rm(join(folder, 'factors.jsonl'));
  await t.throwsAsync(readSampleFactors(folder), {instanceOf: FileError, message: /ipai dataset world/});
});
