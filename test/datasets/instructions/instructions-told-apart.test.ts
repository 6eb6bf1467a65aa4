// Instructions that the shipped model tells apart are instructions that an adapter can be steered by.
import test from 'ava';
import {exampleInstructions} from '../../../lib/datasets/instructions/example-instructions.ts';
import {instructionPool} from '../../../lib/datasets/instructions/instruction-pool.ts';
import {type InstructedTask, paperTasks} from '../../../lib/datasets/instructions/tasks.ts';
import {linearProbe, standardized} from '../../../lib/evaluation/probe/linear-probe.ts';
import {bundledModel} from '../../../lib/pipelines/bundled-model.ts';
import {componentSettings} from '../../../lib/pipelines/component-settings.ts';
import type {TextEncoder} from '../../../lib/pipelines/components/text-encoder.ts';
import {type HostTensor, stackRows} from '../../../lib/pipelines/host-tensor.ts';
import {loadFrozenModels} from '../../../lib/pipelines/load-models.ts';

/** Of the last hidden states, which the adapter reads: the mean of an instruction's tokens, and its end. */
async function embed(encoder: TextEncoder, instructions: readonly string[]): Promise<HostTensor> {
  const {shape, data} = await encoder.encode(instructions, 0);
  const [, tokens, channels] = shape as [number, number, number];
  const vectors = instructions.map((instruction, row) => {
    const own = encoder.tokenizer.encode(instruction).tokenCount + 2;
    const states = data.subarray(row * tokens * channels, (row * tokens + own) * channels);
    const vector = new Float32Array(2 * channels);
    for (const [i, value] of states.entries()) vector[i % channels]! += value / own;
    vector.set(states.subarray((own - 1) * channels), channels);
    return {shape: [1, 2 * channels], data: vector};
  });
  return stackRows(vectors);
}

const allTasks = Object.keys(exampleInstructions) as InstructedTask[];

test('a linear probe on embeddings of the shipped model tells the tasks of instructions it never saw', async t => {
  const {textEncoder} = await loadFrozenModels(componentSettings({}), bundledModel().model);
  const [known, held] = (['train', 'test'] as const).map(split =>
    allTasks.flatMap(task => instructionPool(task, split).map(instruction => ({task, instruction}))),
  );
  const all = [...known!, ...held!];
  const vectors = await embed(
    textEncoder,
    all.map(({instruction}) => instruction),
  );
  const features = standardized(vectors, known!.length);
  const among = async (tasks: readonly InstructedTask[]) => {
    const labels = all.map(({task}) => (tasks.includes(task) ? task : undefined));
    return (await linearProbe(textEncoder.engine, features, labels, known!.length))!.accuracy;
  };
  const [ofPaper, ofAll] = [await among(paperTasks), await among(allTasks)];
  t.log(`${(100 * ofPaper).toFixed(1)} % of five tasks, ${(100 * ofAll).toFixed(1)} % of nine`);
  t.true(ofPaper >= 0.99);
  t.true(ofAll >= 0.98);
});
