import {readFile} from 'node:fs/promises';
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {parseWeightedPrompt} from '../../lib/tokenizer/weighted-prompt.ts';

/** Sections of [text, weight]. */
function sections(prompt: string): [text: string, weight: number][][] {
  return parseWeightedPrompt(prompt).map(section => section.map(({text, weight}) => [text, weight]));
}

/** A prompt that is read as this text. */
function escaped(text: string): string {
  return text.replace(/[()[\]\\]/g, '\\$&').replaceAll('BREAK', 'B\\REAK');
}

test('round brackets multiply by 1.1, square ones divide by it, a number takes the place of 1.1', t => {
  for (const [prompt, expected] of [
    ['a fox', [['a fox', 1]]],
    [
      'a (red) fox',
      [
        ['a ', 1],
        ['red', 1.1],
        [' fox', 1],
      ],
    ],
    ['((red))', [['red', 1.1 * 1.1]]],
    ['[red]', [['red', 1 / 1.1]]],
    ['(red:1.3)', [['red', 1.3]]],
    ['(red : 1.3 )', [['red ', 1.3]]],
    ['(red:0)', [['red', 0]]],
    ['(red:-.5)', [['red', -0.5]]],
    ['(red:2.)', [['red', 2]]],
    [
      '(a (red:2) fox:1.5)',
      [
        ['a ', 1.5],
        ['red', 3],
        [' fox', 1.5],
      ],
    ],
    ['(a)(b)', [['ab', 1.1]]],
    ['(a:1) b', [['a b', 1]]],
    ['', []],
    ['()[]', []],
  ] as const) {
    t.deepEqual(sections(prompt), [expected.map(([text, weight]) => [text, weight])], prompt);
  }
});

test('what is escaped, or has no meaning, is text', t => {
  for (const [prompt, text] of [
    [String.raw`\(a\) \[b\] \\`, '(a) [b] \\'],
    [String.raw`a\b`, 'ab'],
    ['a) b] c', 'a) b] c'],
    ['a:1.3) b', 'a:1.3) b'],
    ['at 10:30', 'at 10:30'],
  ] as const) {
    t.deepEqual(sections(prompt), [[[text, 1]]], prompt);
  }
  t.deepEqual(sections('[a:1.3)]'), [[['a:1.3)', 1 / 1.1]]]);
  // No numbers, so that the bracket is a plain one.
  t.deepEqual(sections('(a:1.2.3)'), [[['a:1.2.3', 1.1]]]);
  t.deepEqual(sections('(a:)'), [[['a:', 1.1]]]);
});

test('a bracket that is not closed counts to the end', t => {
  t.deepEqual(sections('a (red fox'), [
    [
      ['a ', 1],
      ['red fox', 1.1],
    ],
  ]);
  t.deepEqual(sections('[a (b:2) c'), [
    [
      ['a ', 1 / 1.1],
      ['b', 2 / 1.1],
      [' c', 1 / 1.1],
    ],
  ]);
});

test('BREAK divides, as a word of its own, within brackets too', t => {
  t.deepEqual(sections('a BREAK b'), [[['a ', 1]], [[' b', 1]]]);
  t.deepEqual(sections('BREAK'), [[], []]);
  t.deepEqual(sections('a BREAK BREAK b'), [[['a ', 1]], [[' ', 1]], [[' b', 1]]]);
  t.deepEqual(sections('(a BREAK b:2)'), [[['a ', 2]], [[' b', 2]]]);
  for (const text of ['BREAKS', 'break', 'éBREAK', 'BREAK_1']) t.deepEqual(sections(text), [[[text, 1]]]);
});

test('any string is read as diffusers’ community pipeline reads it', async t => {
  const file = new URL('../fixtures/tokenizer/weighted-prompts.json', import.meta.url);
  const {parsed} = JSON.parse(await readFile(file, 'utf8')) as {
    parsed: readonly {text: string; parts: [string, number][]}[];
  };
  t.true(parsed.length >= 400);
  for (const {text, parts} of parsed) {
    const [section, ...more] = sections(text);
    t.deepEqual(more, []);
    t.deepEqual(
      section,
      parts.filter(([part]) => part !== ''),
      text,
    );
  }
});

/** Of all that has a meaning, and what has none. */
const prompts = fc
  .array(
    fc.oneof(
      fc.constantFrom('(', ')', '[', ']', ':', '\\', ':1.3)', ' BREAK ', 'BREAK', ' ', '1', '.'),
      fc.string({unit: 'binary', maxLength: 5}),
    ),
    {maxLength: 40},
  )
  .map(parts => parts.join(''));

testProp('no string fails, and no part is empty', [prompts], (t, prompt) => {
  const parts = parseWeightedPrompt(prompt).flat();
  t.true(parts.every(({text, weight}) => text !== '' && Number.isFinite(weight)));
});

testProp('text without special characters is itself', [fc.string({unit: 'grapheme'})], (t, any) => {
  const text = any.replace(/[()[\]\\]/g, '').replaceAll('BREAK', '');
  t.deepEqual(sections(text), [text === '' ? [] : [[text, 1]]]);
});

testProp('text that is escaped is itself', [prompts], (t, text) => {
  t.deepEqual(sections(escaped(text)), [text === '' ? [] : [[text, 1]]]);
});

testProp(
  'brackets around a prompt multiply all of its weights',
  [prompts.map(escaped), fc.constantFrom(0.5, 1.25, 2)],
  (t, inner, weight) => {
    t.deepEqual(
      sections(`(${inner}:${weight})`),
      sections(inner).map(section => section.map(([text, own]) => [text, own * weight])),
    );
  },
);

test('long prompts take time in proportion', t => {
  const started = performance.now();
  t.is(parseWeightedPrompt('(red:1.3) fox '.repeat(20_000)).length, 1);
  t.true(performance.now() - started < 5000);
});
