import type {ChildProcess} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {folderContents} from '../_helpers/folder-contents.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {commonCatalog, journeyDb, writeTree} from '../_helpers/source-trees.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

test('killed at any moment and begun again, a build ends with the bytes of an unbroken one', async t => {
  const source = await journeyDb(t, 40);
  const build = (folder: string, options?: Parameters<typeof runCli>[1]) =>
    runCli(
      [
        'dataset',
        'build',
        'replication',
        '--source',
        source,
        '-o',
        folder,
        '--count',
        '30',
        '--size',
        '64',
        '--json',
      ],
      options,
    );
  const [unbroken, broken] = [join(await tempFolder(t), 'a'), join(await tempFolder(t), 'b')];
  const whole = await build(unbroken);
  t.is(whole.exitCode, 0, whole.stderr);
  t.like(JSON.parse(whole.stdout), {count: 30, task: 'replication'});
  for (const samples of [3, 12]) {
    const {exitCode} = await build(broken, {
      onStart: child => killAt(child, join(broken, 'build.jsonl'), samples),
    });
    t.is(exitCode, undefined);
  }
  t.is((await build(broken)).exitCode, 0);
  const [{'build.jsonl': _a, ...expected}, {'build.jsonl': _b, ...files}] = [
    await folderContents(unbroken),
    await folderContents(broken),
  ];
  t.deepEqual(files, expected);
});

/** When so many samples are made. */
function killAt(child: ChildProcess, log: string, samples: number): void {
  const timer = setInterval(() => {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0;
    if (lines >= samples) child.kill('SIGKILL');
  }, 1);
  child.once('exit', () => clearInterval(timer));
}

test('style and composition are painted by the models that the options name', async t => {
  const source = await commonCatalog(t, 2);
  const prompts = join(await writeTree(t, {'prompts.txt': 'a cat\na dog'}), 'prompts.txt');
  const common = ['--source', source, '--count', '2', '--size', '64', '--num-inference-steps', '1'];
  const models = {
    style: ['--random', 'tiny', '--random-adapter', 'plus', '--prompts', prompts],
    composition: ['--model', inReference('model'), '--controlnet', inReference('controlnet')],
  };
  for (const [task, flags] of Object.entries(models)) {
    const folder = join(await tempFolder(t), task);
    const {exitCode, stdout, stderr} = await runCli([
      'dataset',
      'build',
      task,
      '-o',
      folder,
      ...common,
      ...flags,
    ]);
    t.is(exitCode, 0, stderr);
    t.regex(stdout, /: 2 samples, sha256 [0-9a-f]{64}/);
    t.is((await openDataset(folder)).samples.length, 2);
  }
});

test('what is missing is told', async t => {
  const source = await commonCatalog(t, 1);
  const folder = join(await tempFolder(t), 'out');
  const {exitCode, stderr} = await runCli([
    'dataset',
    'build',
    'style',
    '--source',
    source,
    '-o',
    folder,
    '--count',
    '1',
  ]);
  t.not(exitCode, 0);
  t.regex(stderr, /expected either --model or --random/);
  const few = await runCli([
    'dataset',
    'build',
    'replication',
    '--source',
    source,
    '-o',
    folder,
    '--count',
    '9',
  ]);
  t.is(few.exitCode, 0, few.stderr);
  t.regex(few.stderr, /has 2 samples and no more/);
});
