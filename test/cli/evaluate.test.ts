import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {inReference} from '../_helpers/reference-paths.ts';
import {type CliOptions, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {adapterFiles, drawnSet} from '../_helpers/tiny-evaluation.ts';

const model = [
  ...['--model', inReference('model'), '--image-encoder', inReference('image_encoder')],
  ...['--clip-text-encoder', inReference('instruction_encoder'), '--adapter-heads', '2'],
];
const amounts = [
  ...['--steps', '2', '--samples-per-task', '2', '--instructions-per-task', '10'],
  ...['--rewording-samples', '1', '--rewordings', '2', '--rewording-seeds', '2'],
];

test('interrupted and begun again, an evaluation finds what an unbroken one does', async t => {
  const dataset = await drawnSet(t, 12);
  const adapters = ['--adapter', `joint=${adapterFiles.instruct}`, '--adapter', `plus=${adapterFiles.plus}`];
  const run = (folder: string, options?: CliOptions) =>
    runCli(
      ['evaluate', ...model, ...amounts, ...adapters, '--dataset', dataset, '-o', folder, '--json'],
      options,
    );
  const parent = await tempFolder(t);
  const [whole, broken] = [join(parent, 'whole'), join(parent, 'broken')];
  const unbroken = await run(whole);
  t.is(unbroken.exitCode, 0, unbroken.stderr);

  let isSent = false;
  const interrupted = await run(broken, {
    onStderr: (text, child) => {
      if (!isSent && /picture \d{1,2}\/40 · /.test(text)) isSent = child.kill('SIGINT');
    },
  });
  t.is(interrupted.exitCode, 130, interrupted.stderr);
  t.regex(interrupted.stderr, /\nkept: \d+ of 40 pictures in .*broken; the same command goes on\n/);
  t.false((await readdir(broken)).includes('report.html'));
  const resumed = await run(broken);
  t.is(resumed.exitCode, 0, resumed.stderr);

  const found = (folder: string, text: string) => {
    const {command, ...results} = JSON.parse(text.replaceAll(folder, 'FOLDER'));
    return results;
  };
  t.deepEqual(found(broken, resumed.stdout), found(whole, unbroken.stdout));
  const read = async (folder: string, name: string) => readFile(join(folder, name), 'utf8');
  t.deepEqual(
    found(broken, await read(broken, 'evaluation.json')),
    found(whole, await read(whole, 'evaluation.json')),
  );
  t.is(
    (await read(broken, 'report.html')).replaceAll(broken, 'FOLDER'),
    (await read(whole, 'report.html')).replaceAll(whole, 'FOLDER'),
  );
  const {command} = JSON.parse(await read(whole, 'evaluation.json'));
  t.true(command.startsWith(`ipai evaluate --model ${inReference('model')} `), command);
});

test('adapters may be for some tasks alone, and told by fixed instructions; a table is printed', async t => {
  const folder = join(await tempFolder(t), 'new', 'out');
  const {exitCode, stdout, stderr} = await runCli([
    ...['evaluate', ...model, '--steps', '1', '--samples-per-task', '1'],
    ...['--rewording-samples', '0', '--instructions-per-task', '0', '--shown-per-task', '0'],
    ...[
      '--adapter',
      `single:style=${adapterFiles.instruct}`,
      '--adapter',
      `single:face=${adapterFiles.plus}`,
    ],
    ...['--adapter', `fixed:style,face=${adapterFiles.instruct}`, '--fixed', 'fixed'],
    ...['--fixed-instruction', "face=that person's face", '--dataset', await drawnSet(t, 5), '-o', folder],
  ]);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^adapter +step +task +score +mean +from +to\n/);
  t.regex(stdout, /\nsingle +style +CLIP-S +[\d.]+ /);
  t.regex(stdout, /\nfixed +face +CLIP-I +[-\d.]+ /);
  t.true(stdout.endsWith(`\n${join(folder, 'report.html')}\n`));
  const {command, adapters} = JSON.parse(await readFile(join(folder, 'evaluation.json'), 'utf8'));
  t.true(command.includes(`--fixed-instruction 'face=that person'\\''s face'`), command);
  t.deepEqual(
    adapters.map(({instructions}: {instructions: string}) => instructions),
    ['pool', 'none', 'fixed'],
  );
});

test('what is wrong on the command line is told', async t => {
  const rest = ['--dataset', 'nowhere', '-o', join(await tempFolder(t), 'out')];
  const bad = await runCli(['evaluate', ...model, ...rest, '--adapter', 'joint']);
  t.is(bad.exitCode, 2);
  t.regex(bad.stderr, /Expected label=file/);
  const unknown = await runCli(['evaluate', ...model, ...rest, '--adapter', 'joint=x', '--fixed', 'other']);
  t.is(unknown.exitCode, 1);
  t.regex(unknown.stderr, /fixed: expected labels of adapters, joint; got 'other'/);
});
