import test from 'ava';
import {instructedTasks} from '../../../lib/datasets/instructions/tasks.ts';
import {queryFor, writeInstructions} from '../../../lib/datasets/instructions/write-instructions.ts';
import {ArgumentError, LanguageModelError, UnusableAnswerError} from '../../../lib/errors.ts';
import {scriptedModel} from '../../_helpers/scripted-model.ts';

test("the paper's queries", t => {
  t.is(
    queryFor('replication'),
    'Generate ways to describe taking everything from an image of varying lengths, do not use the words style, object, composition, face, identity',
  );
  t.is(
    queryFor('face'),
    'Generate ways to describe taking the face or identity from an image of varying lengths, do not use the words everything, style, object, composition',
  );
  t.regex(queryFor('colour'), /taking the colour from .*words everything, .*pose, foreground, background$/);
  t.is(new Set(instructedTasks.map(queryFor)).size, instructedTasks.length);
});

test('asks until there are enough that are distinct and speak of no other task', async t => {
  const model = scriptedModel(
    '1. Use the style\n2. Use the style and the face\n3. USE THE STYLE.\n4. Style',
    new UnusableAnswerError('empty'),
    "I'm sorry, I can't do that.",
    `- ${'Take the style '.repeat(30)}\n- Take the style of the picture.`,
    '["Borrow the style", "Copy the style"]',
  );
  const progress: number[] = [];
  const instructions = await writeInstructions(model, 'style', 3, {
    onProgress: ({done}) => progress.push(done),
  });
  t.deepEqual(instructions, ['Use the style', 'Take the style of the picture.', 'Borrow the style']);
  t.deepEqual(progress, [1, 1, 1, 2, 3]);
  t.deepEqual(
    model.requests.map(({prompt, attempt}) => [prompt, attempt]),
    [0, 1, 2, 3, 4].map(attempt => [queryFor('style'), attempt]),
  );
});

test('gives up when five answers in a row hold nothing new', async t => {
  const model = scriptedModel('1. Use the style', '1. Keep the style', '1. Use the style');
  await t.throwsAsync(writeInstructions(model, 'style', 3), {
    instanceOf: UnusableAnswerError,
    message:
      /^instructions of 'style': expected 3, but after 2 the last 5 answers .*Ask for fewer, or another model/,
  });
  t.is(model.requests.length, 7);
});

test('where the model answers with nothing, it says why', async t => {
  const model = scriptedModel(new UnusableAnswerError('its answer was cut off'));
  await t.throwsAsync(writeInstructions(model, 'style', 3), {message: /after 0 .* its answer was cut off$/});
});

test('other errors end it, and so does a count that is none', async t => {
  const gone = new LanguageModelError('gone');
  const model = scriptedModel('1. Use the style', gone);
  t.is(await t.throwsAsync(writeInstructions(model, 'style', 3)), gone);
  await t.throwsAsync(writeInstructions(model, 'style', 0), {instanceOf: ArgumentError});
});
