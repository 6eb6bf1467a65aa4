import test from 'ava';
import {FileError, LanguageModelError, UnusableAnswerError} from '../../lib/errors.ts';
import {captionPicture} from '../../lib/language/caption-picture.ts';
import {scriptedModel} from '../_helpers/scripted-model.ts';

const picture = {width: 2, height: 1, channels: 3, data: new Uint8Array([9, 8, 7, 6, 5, 4])} as const;
const captionOf = (answer: string | Error) => captionPicture(scriptedModel(answer), picture);

test('the model sees the picture', async t => {
  const model = scriptedModel('A red fish.');
  const {signal} = new AbortController();
  t.is(await captionPicture(model, picture, {signal}), 'A red fish.');
  const [request] = model.requests;
  t.regex(request!.prompt, /caption of this picture/);
  t.deepEqual([...request!.images![0]!.data], [...picture.data]);
  t.is(request!.signal, signal);
});

const answers: Readonly<Record<string, string>> = {
  'as it is': 'A red fish in a bowl.',
  'with blanks': '  A red  fish\tin a bowl. ',
  quoted: '"A red fish in a bowl."',
  'with an announcement': 'Sure! Here is a caption for the picture: "A red fish in a bowl."',
  'after an announcement': "Here's a caption:\n\nA red fish in a bowl.",
  labelled: '**Caption:** A red fish in a bowl.',
  'with more after it': 'A red fish in a bowl.\n\nLet me know if you want another.',
  'as a list': '1. A red fish in a bowl.\n2. A bowl with a fish.',
};

for (const [name, answer] of Object.entries(answers)) {
  test(`a caption ${name}`, async t => t.is(await captionOf(answer), 'A red fish in a bowl.'));
}

test('quotes that do not belong to all of it stay', async t => {
  t.is(await captionOf('"Fish" and "bowl" on a sign.'), '"Fish" and "bowl" on a sign.');
  t.is(await captionOf('A sign that says "fish"'), 'A sign that says "fish"');
});

test('a long answer is cut after a sentence, else between words', async t => {
  const sentence = `A fish${' in a bowl'.repeat(20)}.`;
  t.is(await captionOf(`${sentence} ${sentence}`), sentence);
  const endless = await captionOf('fish '.repeat(200));
  t.is(endless, 'fish '.repeat(70).trim());
  t.is((await captionOf('x'.repeat(1000))).length, 350);
});

for (const answer of [
  "I'm sorry, but I can't help with that.",
  'I cannot describe people.',
  'Unfortunately I see nothing.',
  'As an AI, I have no eyes.',
  'Caption:',
  '""',
]) {
  test(`no caption: ${answer}`, async t => {
    await t.throwsAsync(captionOf(answer), {
      instanceOf: UnusableAnswerError,
      message:
        /^caption: expected one sentence about the picture, but the model answered '.*Leave the picture out/,
    });
  });
}

test('errors of the model and the picture are passed on', async t => {
  const gone = new LanguageModelError('gone');
  t.is(await t.throwsAsync(captionOf(gone)), gone);
  await t.throwsAsync(captionPicture(scriptedModel('x'), new Uint8Array([1])), {instanceOf: FileError});
});
