import {copyFile, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import {FileError} from '../../lib/errors.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url));
const folder = join(fixtures, 'reference/model/tokenizer');
const tokenizer = await CLIPTokenizer.load(folder);

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
}
const cases = JSON.parse(await readFile(join(fixtures, 'tokenizer/clip-cases.json'), 'utf8')) as {
  readonly eosPadded: readonly Case[];
  readonly bangPadded: readonly Case[];
};

/** What the model is given for a text of these tokens. */
function framed(ids: readonly number[], padTokenId: number): number[] {
  const kept = [49406, ...ids.slice(0, 75), 49407];
  return [...kept, ...new Array<number>(77 - kept.length).fill(padTokenId)];
}

/** A copy of the tokenizer folder with other special tokens. */
async function folderWith(target: string, specialTokens: object): Promise<string> {
  for (const name of ['vocab.json', 'merges.txt']) await copyFile(join(folder, name), join(target, name));
  await writeFile(join(target, 'special_tokens_map.json'), JSON.stringify(specialTokens));
  return target;
}

test('token ids of the reference case', async t => {
  const {cases: all} = JSON.parse(await readFile(join(fixtures, 'reference/cases.json'), 'utf8')) as {
    cases: {name: string; texts: string[]}[];
  };
  const {texts} = all.find(({name}) => name === 'clip_text')!;
  const index = await readSafetensorsIndex(join(fixtures, 'reference/cases/clip_text.safetensors'));
  const expected = await readTensor(index.tensors.get('input_ids')!);
  t.deepEqual(
    texts.flatMap(text => [...tokenizer.encode(text).inputIds]),
    [...expected],
  );
});

test('token ids of texts in many scripts, of odd spaces, markers and controls', t => {
  for (const {text, ids} of cases.eosPadded) {
    const encoded = tokenizer.encode(text);
    t.deepEqual([...encoded.inputIds], framed(ids, 49407), JSON.stringify(text));
    t.is(encoded.tokenCount, ids.length, JSON.stringify(text));
    t.is(encoded.truncated !== undefined, ids.length > 75, JSON.stringify(text));
  }
});

test('pads with the token of special_tokens_map.json, which is then special in a text too', async t => {
  const bang = await CLIPTokenizer.load(await folderWith(await tempFolder(t), {pad_token: {content: '!'}}));
  t.is(bang.padTokenId, 0);
  for (const {text, ids} of cases.bangPadded) {
    t.deepEqual([...bang.encode(text).inputIds], framed(ids, 0), JSON.stringify(text));
  }
});

test('reports what does not fit', t => {
  const fits = tokenizer.encode('word '.repeat(75));
  t.is(fits.tokenCount, 75);
  t.is(fits.truncated, undefined);
  const long = tokenizer.encode(`${'word '.repeat(75)}A café, 日本!`);
  t.is(long.truncated, 'a café , 日本 !');
  t.is(long.inputIds.length, 77);
});

test('long words take time in proportion', t => {
  const started = performance.now();
  t.is(tokenizer.encode('ab'.repeat(50_000)).inputIds.length, 77);
  t.true(performance.now() - started < 5000);
});

test('any text gives 77 ids that begin and end as they must', t => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 200}), text => {
        const {inputIds, tokenCount} = tokenizer.encode(text);
        const end = Math.min(tokenCount, 75) + 1;
        return (
          inputIds.length === 77 && inputIds[0] === 49406 && inputIds.subarray(end).every(id => id === 49407)
        );
      }),
    ),
  );
});

test('a tokenizer.json alone gives the same ids', async t => {
  const target = await tempFolder(t);
  const vocab: unknown = JSON.parse(await readFile(join(folder, 'vocab.json'), 'utf8'));
  const lines = (await readFile(join(folder, 'merges.txt'), 'utf8')).trim().split('\n').slice(1);
  const merges = lines.map(line => line.split(' '));
  await writeFile(join(target, 'tokenizer.json'), JSON.stringify({model: {vocab, merges}}));
  const other = await CLIPTokenizer.load(target);
  t.is(other.modelMaxLength, 77);
  t.deepEqual(other.encode('A photo of a cat').inputIds, tokenizer.encode('A photo of a cat').inputIds);
});

test('missing and damaged files are FileErrors', async t => {
  const target = await tempFolder(t);
  await t.throwsAsync(CLIPTokenizer.load(target), {
    instanceOf: FileError,
    message: /'vocab.json' with 'merges.txt'/,
  });
  await t.throwsAsync(CLIPTokenizer.load(join(target, 'none')), {instanceOf: FileError});

  const damaged: [vocab: string, merges: string, message: RegExp][] = [
    ['{', '', /vocab\.json: expected JSON/],
    ['[]', '', /vocab\.json: expected a JSON object/],
    ['{"a": -1}', '', /expected a token id .* for 'a'; got -1/],
    ['{"a": 0, "b": 1}', 'a b c', /two pieces in merge 0/],
    ['{"a": 0, "b": 1}', 'a b', /merge 0; got 'ab'/],
    ['{"a": 0}', '', /the bos token '<\|startoftext\|>' in the vocabulary/],
  ];
  for (const [vocab, merges, message] of damaged) {
    await writeFile(join(target, 'vocab.json'), vocab);
    await writeFile(join(target, 'merges.txt'), merges);
    await t.throwsAsync(CLIPTokenizer.load(target), {instanceOf: FileError, message});
  }
});

test('an impossible model_max_length is a FileError', async t => {
  const target = await folderWith(await tempFolder(t), {});
  await writeFile(join(target, 'tokenizer_config.json'), '{"model_max_length": 2}');
  await t.throwsAsync(CLIPTokenizer.load(target), {instanceOf: FileError, message: /model_max_length/});
});
