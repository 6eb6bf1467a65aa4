import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const draw = (folder: string, ...more: readonly string[]) =>
  runCli(['dataset', 'world', '-o', folder, '--size', '32', ...more]);

test('a drawn world, and its hash', async t => {
  const folder = join(await tempFolder(t), 'set');
  const {exitCode, stdout, stderr} = await draw(
    folder,
    '--count',
    '7',
    '--seed',
    '2',
    '--split',
    'test',
    '--json',
  );
  t.is(exitCode, 0, stderr);
  const result = JSON.parse(stdout);
  t.like(result, {folder, split: 'test', seed: 2, count: 7, size: 32});
  t.regex(result.sha256, /^[0-9a-f]{64}$/);
  t.is((await openDataset(folder)).samples.length, 7);
});

test('stopped by SIGTERM, it leaves nothing behind', async t => {
  const parent = await tempFolder(t);
  let isStopped = false;
  const {exitCode} = await runCli(['dataset', 'world', '-o', join(parent, 'set'), '--count', '100000'], {
    onStderr: (text, child) => {
      if (!isStopped && text.includes('/100000 samples')) isStopped = child.kill('SIGTERM');
    },
  });
  t.is(exitCode, 143);
  t.deepEqual(await readdir(parent), []);
});

test('a split that there is not, and a missing count, are wrong usage', async t => {
  const folder = join(await tempFolder(t), 'set');
  const unknown = await draw(folder, '--count', '1', '--split', 'dev');
  t.is(unknown.exitCode, 2);
  t.regex(unknown.stderr, /train, validation, test/);
  t.is((await draw(folder)).exitCode, 2);
});

test('a vocabulary of a training set', async t => {
  const parent = await tempFolder(t);
  const [set, folder] = [join(parent, 'set'), join(parent, 'tokenizer')];
  await draw(set, '--count', '5');
  const learn = () => runCli(['dataset', 'vocabulary', set, '-o', folder, '--size', '600', '--json']);
  const {exitCode, stdout, stderr} = await learn();
  t.is(exitCode, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {folder, tokens: 600});
  const {bosTokenId, eosTokenId} = await CLIPTokenizer.load(folder);
  t.deepEqual([bosTokenId, eosTokenId], [598, 599]);

  const again = await learn();
  t.is(again.exitCode, 1);
  t.regex(again.stderr, /expected an empty folder/);
});
