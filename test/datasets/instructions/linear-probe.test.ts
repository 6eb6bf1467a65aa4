// Instructions that the shipped model tells apart are instructions that an adapter can be steered by.
import test from 'ava';
import {exampleInstructions} from '../../../lib/datasets/instructions/example-instructions.ts';
import {instructionPool} from '../../../lib/datasets/instructions/instruction-pool.ts';
import {type InstructedTask, paperTasks} from '../../../lib/datasets/instructions/tasks.ts';
import {bundledModel} from '../../../lib/pipelines/bundled-model.ts';
import {componentSettings} from '../../../lib/pipelines/component-settings.ts';
import type {TextEncoder} from '../../../lib/pipelines/components/text-encoder.ts';
import {loadFrozenModels} from '../../../lib/pipelines/load-models.ts';
import {type Labelled, probeAccuracy} from '../../_helpers/linear-probe.ts';

/** Of the last hidden states, which the adapter reads: the mean of an instruction's tokens, and its end. */
async function embed(encoder: TextEncoder, instructions: readonly string[]): Promise<Float32Array[]> {
  const {shape, data} = await encoder.encode(instructions, 0);
  const [, tokens, channels] = shape as [number, number, number];
  return instructions.map((instruction, row) => {
    const own = encoder.tokenizer.encode(instruction).tokenCount + 2;
    const states = data.subarray(row * tokens * channels, (row * tokens + own) * channels);
    const vector = new Float32Array(2 * channels);
    for (const [i, value] of states.entries()) vector[i % channels]! += value / own;
    vector.set(states.subarray((own - 1) * channels), channels);
    return vector;
  });
}

const allTasks = Object.keys(exampleInstructions) as InstructedTask[];

test('a linear probe on embeddings of the shipped model tells the tasks of instructions it never saw', async t => {
  const {textEncoder} = await loadFrozenModels(componentSettings({}), bundledModel().model);
  const labelled = async (tasks: readonly InstructedTask[], split: 'train' | 'test'): Promise<Labelled[]> => {
    const parts = tasks.map(async task => {
      const vectors = await embed(textEncoder, instructionPool(task, split));
      return vectors.map(vector => ({label: task, vector}));
    });
    return (await Promise.all(parts)).flat();
  };
  const [known, held] = [await labelled(allTasks, 'train'), await labelled(allTasks, 'test')];
  const among = (tasks: readonly string[]) => {
    const of = (items: readonly Labelled[]) => items.filter(({label}) => tasks.includes(label));
    return probeAccuracy(of(known), of(held));
  };
  const [ofPaper, ofAll] = [among(paperTasks), among(allTasks)];
  t.log(`${(100 * ofPaper).toFixed(1)} % of five tasks, ${(100 * ofAll).toFixed(1)} % of nine`);
  t.true(ofPaper >= 0.99);
  t.true(ofAll >= 0.98);
});
