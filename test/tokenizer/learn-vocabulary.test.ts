import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {wordSymbols} from '../../lib/tokenizer/byte-pair-encoder.ts';
import {textToSymbols} from '../../lib/tokenizer/byte-symbols.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {splitClipWords} from '../../lib/tokenizer/clip-words.ts';
import {learnVocabulary} from '../../lib/tokenizer/learn-vocabulary.ts';
import type {TokenizerFiles} from '../../lib/tokenizer/tokenizer-files.ts';
import {writeTokenizerFiles} from '../../lib/tokenizer/write-tokenizer-files.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const fixture = new URL('../fixtures/tokenizer/learnt-vocabulary.json', import.meta.url);
const reference = JSON.parse(await readFile(fixture, 'utf8')) as {
  readonly size: number;
  readonly minFrequency: number;
  readonly captions: readonly string[];
  readonly merges: readonly string[];
  readonly markers: readonly number[];
  readonly cases: readonly {readonly text: string; readonly ids: readonly number[]}[];
};

/** Few letters, so that words and pairs come again and overlap. */
const captions = fc.array(
  fc.array(fc.string({unit: fc.constantFrom('a', 'b', 'é', '1', '!'), maxLength: 12}), {maxLength: 8}),
  {maxLength: 8},
);
const texts = captions.map(all => all.map(words => words.join(' ')));

/** Token ids of a text without markers. */
function idsOf(tokenizer: CLIPTokenizer, text: string): number[] {
  const {inputIds, tokenCount} = tokenizer.encode(text);
  return [...inputIds.subarray(1, 1 + tokenCount)];
}

function lengthOf(files: TokenizerFiles, modelMaxLength: number): TokenizerFiles {
  return {...files, modelMaxLength};
}

/** Merges as Sennrich et al. find them: all pairs are counted anew for each. */
function mergesByRecount(all: readonly string[], idOf: ReadonlyMap<string, number>, size: number): string[] {
  let words = all.flatMap(splitClipWords).map(word => wordSymbols(textToSymbols(word)));
  const merges: string[] = [];
  while (merges.length < size - 514) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const ids = (pair: string) => pair.split(' ').map(piece => idOf.get(piece)!) as [number, number];
    const [best] = [...counts]
      .filter(([, count]) => count >= 2)
      .sort(([a, m], [b, n]) => n - m || ids(a)[0] - ids(b)[0] || ids(a)[1] - ids(b)[1]);
    if (best === undefined) break;
    merges.push(best[0]);
    words = words.map(word => mergedWord(word, best[0]));
  }
  return merges;
}

function mergedWord(word: readonly string[], pair: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < word.length; i++) {
    const isPair = `${word[i]} ${word[i + 1]}` === pair;
    merged.push(isPair ? `${word[i]}${word[++i]}` : word[i]!);
  }
  return merged;
}

test("merges and token ids are those of Hugging Face's tokenizers", async t => {
  const files = await learnVocabulary(reference.captions, reference);
  t.deepEqual(
    files.merges.map(pair => pair.join(' ')),
    reference.merges,
  );
  const tokenizer = new CLIPTokenizer(files);
  t.deepEqual([tokenizer.bosTokenId, tokenizer.eosTokenId], reference.markers);
  t.is(tokenizer.padTokenId, tokenizer.eosTokenId);
  for (const {text, ids} of reference.cases) t.deepEqual(idsOf(tokenizer, text), ids, text);
});

test("symbols of bytes have the ids of CLIP's own vocabulary", async t => {
  const path = new URL('../fixtures/reference/model/tokenizer', import.meta.url);
  const clip = JSON.parse(await readFile(`${fileURLToPath(path)}/vocab.json`, 'utf8'));
  const {vocabulary} = await learnVocabulary([], {size: 514});
  t.is(vocabulary.size, 514);
  for (const [piece, id] of [...vocabulary].slice(0, 512)) t.is(clip[piece], id, piece);
});

test('a folder of it is read as it was written', async t => {
  const files = await learnVocabulary(reference.captions, reference);
  const folder = await tempFolder(t);
  await writeTokenizerFiles(folder, lengthOf(files, 20));
  const [written, loaded] = [new CLIPTokenizer(lengthOf(files, 20)), await CLIPTokenizer.load(folder)];
  t.is(loaded.modelMaxLength, 20);
  for (const text of [...reference.captions, ...reference.cases.map(({text}) => text)]) {
    t.deepEqual(loaded.encode(text), written.encode(text));
  }
});

test('merges are those of a count of all pairs before each', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(texts, fc.integer({min: 514, max: 600}), async (all, size) => {
        const {merges, vocabulary} = await learnVocabulary(all, {size});
        t.deepEqual(
          merges.map(pair => pair.join(' ')),
          mergesByRecount(all, vocabulary, size),
        );
      }),
    ),
  );
});

test('any text is encoded, and its tokens spell it', async t => {
  const files = await learnVocabulary(reference.captions, reference);
  // No room beyond the first token, so that all others are told as cut off.
  const tokenizer = new CLIPTokenizer(lengthOf(files, 3));
  t.deepEqual(idsOf(tokenizer, 'a').length, 1);
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({unit: 'grapheme', maxLength: 100}), text => {
        const {inputIds, truncated = ''} = tokenizer.encode(`a ${text}`);
        const spelled = splitClipWords(text).join(' ').trim();
        return truncated === spelled && inputIds.length === 3 && inputIds[2] === tokenizer.eosTokenId;
      }),
    ),
  );
});

test('a word that occurs often enough is one token', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(texts, fc.integer({min: 1, max: 4}), async (all, minFrequency) => {
        const tokenizer = new CLIPTokenizer(await learnVocabulary(all, {size: 5000, minFrequency}));
        const words = all.flatMap(splitClipWords);
        return words
          .filter(word => words.filter(other => other === word).length >= minFrequency)
          .every(word => idsOf(tokenizer, word).length === 1);
      }),
    ),
  );
});

test('a smaller vocabulary has the first merges of a larger one', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(texts, fc.integer({min: 514, max: 540}), async (all, size) => {
        const [small, large] = [await learnVocabulary(all, {size}), await learnVocabulary(all, {size: 5000})];
        t.deepEqual(small.merges, large.merges.slice(0, size - 514));
        t.is(small.vocabulary.size, 514 + small.merges.length);
      }),
    ),
  );
});

test('the order of texts makes no difference', async t => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(
        texts.chain(all => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, {minLength: all.length}))),
        async ([all, shuffled]) => {
          const options = {size: 5000};
          t.deepEqual(await learnVocabulary(shuffled, options), await learnVocabulary(all, options));
        },
      ),
    ),
  );
});

test('long words and many texts take time in proportion', async t => {
  const started = performance.now();
  await learnVocabulary(['ab'.repeat(50_000), ...reference.captions], {size: 49408});
  await learnVocabulary(new Array<string>(20_000).fill(reference.captions[3]!), {size: 49408});
  t.true(performance.now() - started < 20_000);
});

test('sizes and frequencies that make no sense are ArgumentErrors', async t => {
  for (const options of [{size: 513}, {size: 1000.5}, {size: 2 ** 24 + 1}, {size: 1000, minFrequency: 0}]) {
    await t.throwsAsync(learnVocabulary([], options), {
      instanceOf: ArgumentError,
      message: /expected an integer/,
    });
  }
});

test('an abort ends it with its reason', async t => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  t.is(await t.throwsAsync(learnVocabulary(reference.captions, {size: 600, signal})), reason);
});
