import {appendFile, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {FileError} from '../../../lib/errors.ts';
import {type LoggedEvent, TrainingLog} from '../../../lib/training/watch/training-log.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

function eventOf(step: number): LoggedEvent {
  const numbers = {loss: 1 / step, gradientNorm: 1, learningRate: 1e-3, samplesPerSecond: 2};
  return {kind: 'step', step, totalSteps: 9, isSkipped: false, ...numbers};
}

async function stepsIn(folder: string): Promise<number[]> {
  const lines = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map(line => (JSON.parse(line) as LoggedEvent).step);
}

test('a run that goes on drops what was told of steps that are taken again', async t => {
  const folder = await tempFolder(t);
  const log = await TrainingLog.open(folder, 0);
  for (const step of [1, 2, 3, 4]) await log.record(eventOf(step));
  t.deepEqual(await stepsIn(folder), [1, 2, 3, 4]);
  // As a process that is killed while it writes leaves it.
  await appendFile(join(folder, 'metrics.jsonl'), '{"kind":"step","st');
  const again = await TrainingLog.open(folder, 3);
  await again.record(eventOf(4));
  t.deepEqual(await stepsIn(folder), [1, 2, 3, 4]);
});

test('nothing is lost where no step is taken again', async t => {
  const folder = await tempFolder(t);
  for (const step of [1, 2]) {
    const log = await TrainingLog.open(folder, step - 1);
    await log.record(eventOf(step));
  }
  t.deepEqual(await stepsIn(folder), [1, 2]);
});

test('a folder that is none is told', async t => {
  const folder = join(await tempFolder(t), 'nowhere');
  const log = await TrainingLog.open(folder, 0);
  await t.throwsAsync(log.record(eventOf(1)), {instanceOf: FileError, message: /cannot be written/});
});
