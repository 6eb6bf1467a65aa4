import test from 'ava';
import type {Dataset} from '../../../lib/datasets/dataset.ts';
import {ArgumentError} from '../../../lib/errors.ts';
import {withInstructionPools} from '../../../lib/training/batches/instruction-pools.ts';

const image = {file: 'x.png'};
const dataset: Dataset = {
  folder: 'data',
  samples: ['style', 'face', 'style'].map(task => ({
    target: image,
    condition: image,
    prompt: '',
    task,
    place: '',
  })),
  instructions: new Map([['style', ['use the style', 'its manner']]]),
  problems: [],
};
const instruct = {readsInstruction: true};

test("a run's instructions stand in for the training set's", t => {
  const {instructions} = withInstructionPools(dataset, {
    ...instruct,
    instructions: {style: ['the style'], face: ['the face']},
  });
  t.deepEqual(
    [...instructions],
    [
      ['style', ['the style']],
      ['face', ['the face']],
    ],
  );
});

test('each task that is trained needs one', t => {
  t.throws(() => withInstructionPools(dataset, instruct), {
    instanceOf: ArgumentError,
    message: /expected instructions for each task, got none for face\. Write instructions\/face\.txt/,
  });
  const {instructions} = withInstructionPools(dataset, {...instruct, taskWeights: {style: 1}});
  t.deepEqual([...instructions.keys()], ['style']);
});

test('a task that is not there is told', t => {
  t.throws(() => withInstructionPools(dataset, {...instruct, instructions: {pose: ['the pose']}}), {
    instanceOf: ArgumentError,
    message: 'instructions: expected tasks of data, face, style; got pose.',
  });
});

test('an adapter that reads no instruction needs none', t => {
  const {instructions} = withInstructionPools(dataset, {readsInstruction: false});
  t.deepEqual(
    [...instructions],
    [
      ['face', ['']],
      ['style', ['']],
    ],
  );
});
