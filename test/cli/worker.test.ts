import type {ChildProcess} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {folderContents} from '../_helpers/folder-contents.ts';
import {machinesTest, startMachines} from '../_helpers/machines.ts';
import {freePort, redisTest, startRedis} from '../_helpers/redis-server.ts';
import {type CliOptions, type CliResult, runCliBeside} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const astronaut = new URL('../../assets/astronaut.png', import.meta.url).pathname;
const jobs = Array.from({length: 10}, (_, i) => ({
  id: `job-${i}`,
  prompt: `a fox of ${i % 3} tails`,
  ...(i % 2 === 0 && {ipAdapterImage: astronaut, instruction: 'use the style'}),
  ...(i === 9 && {priority: 1}),
}));
const model = ['--random', 'tiny', '--device', 'cpu', '--threads', '1'];
const denoising = ['--steps', '2', '--height', '64', '--width', '64'];

interface Running {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
}

/** Starts the program; it is killed when the test ends, if it still runs. */
function start(t: ExecutionContext, args: readonly string[], options: CliOptions = {}): Running {
  let child!: ChildProcess;
  const onStart = (started: ChildProcess) => {
    child = started;
  };
  const result = runCliBeside(args, {...options, onStart});
  t.teardown(async () => {
    child.kill('SIGKILL');
    await result;
  });
  return {child, result};
}

async function writeJobs(
  t: ExecutionContext,
  all: readonly object[],
): Promise<{folder: string; file: string}> {
  const folder = await tempFolder(t);
  const file = join(folder, 'jobs.jsonl');
  await writeFile(file, all.map(job => `${JSON.stringify(job)}\n`).join(''));
  return {folder, file};
}

/** Pictures by their names, and lines in their order; what a killed worker was writing does not count. */
async function resultsIn(pictures: string, record: string) {
  const files = Object.entries(await folderContents(pictures)).filter(([name]) => name.endsWith('.png'));
  const lines = (await readFile(join(record, 'results.jsonl'), 'utf8')).trim().split('\n').sort();
  return {files, lines};
}

machinesTest(
  'a worker and the sender are killed: what other machines make is what one makes alone',
  async t => {
    const [redis, sending, ...working] = startMachines(t, 4);
    const {url} = await startRedis(t, {launcher: redis!.launcher, host: redis!.host, port: 6379});
    const {folder, file} = await writeJobs(t, jobs);
    const [whole, pictures, record] = ['whole', 'pictures', 'record'].map(name => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const alone = await runCliBeside(['batch', file, '-o', whole, ...model, ...denoising]);
    t.is(alone.exitCode, 0, alone.stderr);

    const [first, second] = working.map(({launcher}) =>
      start(t, ['worker', '--queue', url, '-o', pictures, '--batch-size', '2', ...model], {launcher}),
    ) as [Running, Running];
    const send = (onPicture: (count: number, child: ChildProcess) => void = () => {}) =>
      start(t, ['batch', file, '-o', record, '--queue', url, ...denoising, '--json'], {
        launcher: sending!.launcher,
        onStderr: (text, child) => onPicture(text.match(/^picture /gm)?.length ?? 0, child),
      }).result;
    const killed = await send((count, child) => {
      if (count >= 2) first.child.kill('SIGKILL');
      if (count >= 4) child.kill('SIGKILL');
    });
    t.is(killed.exitCode, undefined, killed.stderr);
    const {exitCode, stdout, stderr} = await send();
    t.is(exitCode, 0, stderr);
    t.is(JSON.parse(stdout).done, jobs.length);
    t.true(JSON.parse(stdout).made < jobs.length);
    t.deepEqual(await resultsIn(pictures, record), await resultsIn(whole, whole));

    t.is((await first.result).exitCode, undefined);
    second.child.kill('SIGTERM');
    const ended = await second.result;
    t.is(ended.exitCode, 0, ended.stderr);
  },
);

redisTest('jobs that fail are named by the sender, and the exit code tells', async t => {
  const {url} = await startRedis(t);
  const {folder, file} = await writeJobs(t, [
    {id: 'good', prompt: 'a fox'},
    {id: 'missing', prompt: 'a fox', ipAdapterImage: 'nowhere.png'},
    {id: 'odd', prompt: 'a fox', width: 65},
    {id: 'typo', promt: 'a fox'},
  ]);
  start(t, ['worker', '--queue', url, '-o', join(folder, 'pictures'), ...model]);
  const args = [
    'batch',
    file,
    '-o',
    join(folder, 'record'),
    '--queue',
    url,
    ...denoising.slice(0, 4),
    ...model,
  ];
  const {exitCode, stdout, stderr} = await start(t, args).result;
  t.is(exitCode, 1);
  t.regex(stdout, /: 1 of 4 pictures\n$/);
  t.regex(stderr, /failed: missing: .*nowhere\.png/);
  t.regex(stderr, /failed: odd: .*65/);
  t.regex(stderr, /failed: typo: .*promt/);
  t.deepEqual(Object.keys(await folderContents(join(folder, 'pictures'))), ['good.png']);
});

test.serial('without Redis a worker and a sender end with an error', async t => {
  const {folder, file} = await writeJobs(t, jobs);
  const queue = ['--queue', `redis://127.0.0.1:${await freePort()}`];
  for (const args of [
    ['worker', ...queue, '-o', folder, ...model],
    ['batch', file, ...queue, '-o', folder],
  ]) {
    const {exitCode, stderr} = await start(t, args).result;
    t.is(exitCode, 1);
    t.regex(stderr, /error: queue redis:.*ECONNREFUSED/);
  }
});
