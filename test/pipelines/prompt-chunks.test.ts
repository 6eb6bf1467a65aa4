import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {checkPromptSyntax, promptChunks, promptWords} from '../../lib/pipelines/prompt-chunks.ts';
import {weighTokens} from '../../lib/pipelines/token-weights.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {inReference} from '../_helpers/reference-paths.ts';

const tokenizer = await CLIPTokenizer.load(inReference('model', 'tokenizer'));

/** Of each chunk the tokens between its markers, with their weights. */
function contents(prompt: string): [id: number, weight: number][][] {
  const {chunks, weights} = promptChunks(tokenizer, prompt, 'weighted');
  return chunks.map((chunk, index) => {
    const end = chunk.indexOf(tokenizer.eosTokenId);
    return Array.from(chunk.subarray(1, end), (id, token): [number, number] => [
      id,
      weights[index * 77 + 1 + token]!,
    ]);
  });
}

const idOf = (word: string) => tokenizer.tokenIds(word)[0]!;

test('tokens have the weights of their words; markers and padding weigh 1', t => {
  const {chunks, weights} = promptChunks(tokenizer, 'a (red fox:1.5) [runs]', 'weighted');
  t.deepEqual(chunks, [tokenizer.encode('a red fox runs').inputIds]);
  t.deepEqual(weights, [1, 1, 1.5, 1.5, 1 / 1.1, ...new Array<number>(72).fill(1)]);
});

test('a prompt has a chunk for each 75 tokens that it begins', t => {
  for (const [words, chunks] of [
    [0, [0]],
    [1, [1]],
    [75, [75]],
    [76, [75, 1]],
    [150, [75, 75]],
    [400, [75, 75, 75, 75, 75, 25]],
  ] as const) {
    t.deepEqual(
      contents('fox '.repeat(words)).map(chunk => chunk.length),
      chunks,
      `${words} words`,
    );
  }
  const long = contents(`${'fox '.repeat(70)}(${'red '.repeat(10)}:2)`);
  t.deepEqual(long[0]!.slice(69, 71), [
    [idOf('fox'), 1],
    [idOf('red'), 2],
  ]);
  t.deepEqual(long[1], new Array(5).fill([idOf('red'), 2]));
});

test('BREAK begins a chunk, but none at the end', t => {
  const lengths = (prompt: string) => contents(prompt).map(chunk => chunk.length);
  t.deepEqual(lengths('a red BREAK fox'), [2, 1]);
  t.deepEqual(lengths('a red fox BREAK'), [3]);
  t.deepEqual(lengths('BREAK fox'), [0, 1]);
  t.deepEqual(lengths('a BREAK BREAK fox'), [1, 0, 1]);
  t.deepEqual(lengths('BREAK'), [0]);
  t.deepEqual(lengths(`${'fox '.repeat(75)} BREAK red`), [75, 1]);
});

testProp(
  'without weights a prompt that fits is the plain one',
  [fc.string({unit: 'grapheme', maxLength: 60})],
  (t, any) => {
    const prompt = any.replace(/[()[\]\\]/g, '');
    fc.pre(tokenizer.tokenIds(prompt).length <= 75);
    t.deepEqual(promptChunks(tokenizer, prompt, 'weighted'), promptChunks(tokenizer, prompt, 'plain'));
    t.is(promptWords(prompt, 'weighted'), prompt);
  },
);

testProp(
  'any prompt is whole chunks with a weight for each token',
  [fc.string({unit: 'binary'})],
  (t, prompt) => {
    const {chunks, weights} = promptChunks(tokenizer, prompt, 'weighted');
    t.true(chunks.length >= 1);
    t.is(weights.length, 77 * chunks.length);
    t.true(chunks.every(chunk => chunk.length === 77 && chunk[0] === tokenizer.bosTokenId));
  },
);

test('the words of a prompt are what it says without its syntax', t => {
  t.is(promptWords('a (red:1.3) fox BREAK in [snow] \\(2\\)', 'weighted'), 'a red fox   in snow (2)');
  t.is(promptWords('a (red:1.3) fox', 'plain'), 'a (red:1.3) fox');
});

test('weights that overflow, and syntaxes that there are not, are ArgumentErrors', t => {
  t.throws(() => promptChunks(tokenizer, `${'('.repeat(8000)}fox`, 'weighted'), {
    instanceOf: ArgumentError,
    message: /finite weights but received Infinity for 'fox'/,
  });
  t.throws(() => checkPromptSyntax('a1111'), {
    instanceOf: ArgumentError,
    message: /promptSyntax: expected one of plain, weighted but received 'a1111'/,
  });
});

test('weighted states have the mean that they had; those of weight 1 are left as they are', t => {
  const states = Float32Array.of(1, 2, 3, 4, 5, 6);
  t.is(weighTokens(states, [1, 1, 1]), states);
  // The sum is 21, and 3 + 14 + 11 / 2 = 22.5 with the weights.
  const expected = [1, 2, 6, 8, 2.5, 3].map(value => (value * 21) / 22.5);
  t.deepEqual(weighTokens(states, [1, 2, 0.5]), Float32Array.from(expected));
});
