import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {ArgumentError} from '../../../lib/errors.ts';
import {samplesByTask, validationSetOf} from '../../../lib/training/watch/validation-set.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

test('a validation set has the tasks that are trained, with the instructions of the run', async t => {
  const folder = await writeTrainingSet(t);
  const dataset = await openDataset(folder);
  const all = validationSetOf(dataset, {readsInstruction: true});
  t.deepEqual(
    [...samplesByTask(all)].map(([task, samples]) => [task, samples.map(({prompt}) => prompt)]),
    [
      ['face', ['colour 1', 'colour 3', 'colour 5']],
      ['style', ['colour 0', 'colour 2', 'colour 4']],
    ],
  );
  t.deepEqual(all.instructions, dataset.instructions);
  // Of the run's instructions and weights, some may be of tasks that are not in this set.
  const one = validationSetOf(dataset, {
    taskWeights: {style: 2, object: 1},
    instructions: {style: ['style alone'], object: ['the object']},
    readsInstruction: true,
  });
  t.deepEqual([...samplesByTask(one).keys()], ['style']);
  t.deepEqual(one.instructions.get('style'), ['style alone']);
  const without = validationSetOf(dataset, {readsInstruction: false});
  t.deepEqual([...without.instructions.values()], [[''], ['']]);
});

test('a task without instructions is told, and so is a set without samples', async t => {
  const folder = await writeTrainingSet(t);
  await rm(join(folder, 'instructions/face.txt'));
  const dataset = await openDataset(folder);
  t.throws(() => validationSetOf(dataset, {readsInstruction: true}), {
    instanceOf: ArgumentError,
    message: /instructions\/face\.txt/,
  });
  t.notThrows(() => validationSetOf(dataset, {readsInstruction: true, taskWeights: {style: 1}}));
  t.throws(() => validationSetOf(dataset, {readsInstruction: true, taskWeights: {object: 1}}), {
    instanceOf: ArgumentError,
    message: /tasks that are trained/,
  });
});
