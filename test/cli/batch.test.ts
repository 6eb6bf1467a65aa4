import {existsSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {folderContents} from '../_helpers/folder-contents.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const astronaut = new URL('../../assets/astronaut.png', import.meta.url).pathname;

/** Of two sizes, with and without a condition image. */
const jobs = Array.from({length: 12}, (_, i) => ({
  id: `job-${i}`,
  prompt: `a fox of ${i % 3} tails`,
  ...(i % 2 === 0 && {
    ipAdapterImage: astronaut,
    instruction: i % 4 === 0 ? 'use the style' : 'use the face',
  }),
  width: i % 3 === 0 ? 72 : 64,
}));

const flags = ['--random', 'tiny', '--steps', '2', '--height', '64', '--device', 'cpu'];

/** Pictures by their names. What was being written when a process was killed lies beside them. */
async function picturesIn(folder: string): Promise<Record<string, string>> {
  const contents = await folderContents(folder);
  return Object.fromEntries(Object.entries(contents).filter(([name]) => name.endsWith('.png')));
}

test('killed again and again, a batch ends with the pictures of one that was not', async t => {
  const folder = await tempFolder(t);
  const file = join(folder, 'jobs.jsonl');
  await writeFile(file, jobs.map(job => `${JSON.stringify(job)}\n`).join(''));
  const run = (output: string, killAt = Infinity) =>
    runCli(['batch', file, '-o', join(folder, output), ...flags, '--batch-size', '3', '--json'], {
      onStderr: (text, child) => {
        if ((text.match(/^picture /gm) ?? []).length >= killAt) child.kill('SIGKILL');
      },
    });
  for (const killAt of [2, 2]) t.is((await run('killed', killAt)).exitCode, undefined);
  const recorded = (await readFile(join(folder, 'killed/results.jsonl'), 'utf8')).split('\n').length - 1;
  t.true(recorded > 0);
  const {exitCode, stdout, stderr} = await run('killed');
  t.is(exitCode, 0, stderr);
  const summary = JSON.parse(stdout);
  t.is(summary.done, jobs.length);
  t.is(summary.made, jobs.length - recorded);

  t.is((await run('whole')).exitCode, 0);
  const whole = await picturesIn(join(folder, 'whole'));
  t.deepEqual(Object.keys(whole).sort(), jobs.map(({id}) => `${id}.png`).sort());
  t.deepEqual(await picturesIn(join(folder, 'killed')), whole);
});

test('jobs that fail are named, the others are done, and the exit code tells', async t => {
  const folder = await tempFolder(t);
  const file = join(folder, 'jobs.jsonl');
  const lines = [
    {id: 'good', prompt: 'a fox'},
    {id: 'missing', prompt: 'a fox', ipAdapterImage: 'nowhere.png'},
    {id: 'odd', prompt: 'a fox', width: 65},
    {id: 'typo', promt: 'a fox'},
  ];
  await writeFile(file, lines.map(line => JSON.stringify(line)).join('\n'));
  const output = join(folder, 'out');
  const {exitCode, stdout, stderr} = await runCli([
    'batch',
    file,
    '-o',
    output,
    ...flags,
    '--format',
    'webp',
  ]);
  t.is(exitCode, 1);
  t.is(stdout, `${output}: 1 of 4 pictures\n`);
  t.regex(stderr, /failed: missing: .*nowhere\.png/);
  t.regex(stderr, /failed: odd: .*65/);
  t.regex(stderr, /failed: typo: .*jobs\.jsonl:4: .*promt/);
  t.true(existsSync(join(output, 'good.webp')));
  const log = (await readFile(join(output, 'results.jsonl'), 'utf8')).trim().split('\n');
  t.is(log.length, 4);
});
