import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../../lib/errors.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';
import {chooseForSample, defaultDropout} from '../../../lib/training/batches/sample-choices.ts';

const options = {numTrainTimesteps: 1000, dropout: defaultDropout, instructions: ['a', 'b', 'c']};
const none = {text: 0, image: 0, textAndImage: 0, instruction: 0};

test('conditions are dropped as often as asked; timesteps and instructions are uniform', t => {
  const generator = new TorchGenerator(2);
  const draws = 20_000;
  const dropout = {text: 0.1, image: 0.2, textAndImage: 0.05, instruction: 0.15};
  const counts = {text: 0, image: 0, textAndImage: 0, instruction: 0, a: 0, early: 0};
  for (let i = 0; i < draws; i++) {
    const choice = chooseForSample(generator, {...options, dropout});
    if (!choice.keepsText && !choice.keepsImage) counts.textAndImage++;
    else if (!choice.keepsText) counts.text++;
    else if (!choice.keepsImage) counts.image++;
    if (choice.instruction === '') counts.instruction++;
    if (choice.instruction === 'a') counts.a++;
    if (choice.timestep < 250) counts.early++;
  }
  const expected = {...dropout, a: 0.85 / 3, early: 0.25};
  for (const [name, share] of Object.entries(expected)) {
    const deviation = Math.sqrt((share * (1 - share)) / draws);
    t.true(Math.abs(counts[name as 'text'] / draws - share) < 5 * deviation, name);
  }
});

testProp('timesteps lie in the schedule, instructions in the pool', [fc.nat(10_000)], (t, seed) => {
  const choice = chooseForSample(new TorchGenerator(seed), {...options, dropout: none});
  t.true(choice.timestep >= 0 && choice.timestep < 1000 && Number.isInteger(choice.timestep));
  t.true(options.instructions.includes(choice.instruction));
  t.true(choice.keepsText && choice.keepsImage);
});

test('the name of an object takes the place of the word, whole words only', t => {
  const instructions = ['Use the object and its objective: an Object.'];
  const choice = chooseForSample(new TorchGenerator(0), {
    ...options,
    dropout: none,
    instructions,
    objectName: 'teapot',
  });
  t.is(choice.instruction, 'Use the teapot and its objective: an teapot.');
});

test('refuses an empty pool, and shares that are none', t => {
  const choose = (changes: object) => () => chooseForSample(new TorchGenerator(0), {...options, ...changes});
  t.throws(choose({instructions: []}), {instanceOf: ArgumentError, message: /instructions/});
  t.throws(choose({dropout: {...none, text: -0.1}}), {instanceOf: ArgumentError});
  t.throws(choose({dropout: {...none, text: 0.6, image: 0.6}}), {instanceOf: ArgumentError});
});
