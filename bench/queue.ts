/**
 * How much faster two workers on a queue in Redis are than one, each with one thread: pictures per second, from the first
 * job that is sent to the last line that is recorded.
 *
 *   npx tsx bench/queue.ts [--model FOLDER] [--jobs 200] [--steps 10] [--batch-size 4] [--repeats 5] [--json FILE]
 *
 * The folder is one of the drawn world's models, with `image_encoder` and `instruct.safetensors`; without one, weights are
 * random and tiny. redis-server must be installed. Workers are started anew for each turn, and warmed up.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {type AddressInfo, createServer} from 'node:net';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {paperTasks} from '../lib/datasets/instructions/tasks.ts';
import {renderSample} from '../lib/datasets/world/render-sample.ts';
import {worldSample} from '../lib/datasets/world/tasks.ts';
import {encodePng} from '../lib/images/write-image.ts';
import type {Job} from '../lib/jobs/read-jobs.ts';
import {sendJobs} from '../lib/jobs/redis/send-jobs.ts';
import {openDevice} from '../lib/runtime/device.ts';
import {describeMachine} from './machine.ts';
import {summarize} from './measure.ts';
import {positiveNumber, runProgram} from './options.ts';
import {writeReport} from './report.ts';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
/** Condition images that the jobs share. */
const conditionCount = 20;
const workerCounts = [1, 2] as const;

interface Options {
  readonly model: string | undefined;
  readonly jobs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly repeats: number;
  readonly json: string | undefined;
}

function readOptions(): Options {
  const {values} = parseArgs({
    options: {
      model: {type: 'string'},
      jobs: {type: 'string', default: '200'},
      steps: {type: 'string', default: '10'},
      'batch-size': {type: 'string', default: '4'},
      repeats: {type: 'string', default: '5'},
      json: {type: 'string'},
    },
  });
  const number = (name: 'jobs' | 'steps' | 'batch-size' | 'repeats') =>
    positiveNumber(`--${name}`, values[name]);
  return {
    model: values.model,
    jobs: number('jobs'),
    steps: number('steps'),
    batchSize: number('batch-size'),
    repeats: number('repeats'),
    json: values.json,
  };
}

interface Subject {
  readonly prompt: string;
  readonly picture: Uint8Array;
}

function makeSubjects(): Promise<Subject[]> {
  const samples = Array.from({length: conditionCount}, (_, i) => worldSample(paperTasks[0]!, 'test', 0, i));
  return Promise.all(
    samples.map(async sample => ({
      prompt: sample.prompt,
      picture: await encodePng((await renderSample(sample, 128)).condition),
    })),
  );
}

/** All of one kind, so that every batch is full. */
function makeJobs(name: string, subjects: readonly Subject[], count: number, steps: number): Job[] {
  return Array.from({length: count}, (_, i) => {
    const {prompt, picture} = subjects[i % subjects.length]!;
    const common = {prompt, seed: i, numInferenceSteps: steps};
    const size = {width: 64, height: 64};
    const options = {
      ...common,
      ...size,
      ipAdapterImage: picture,
      instruction: 'use the style',
    };
    return {id: `${name}-${i}`, given: {...common, ...size}, options};
  });
}

async function startRedis(folder: string): Promise<{url: string; stop: () => Promise<unknown>}> {
  const free = createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const {port} = free.address() as AddressInfo;
  free.close();
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const server = spawn('redis-server', args, {stdio: ['ignore', 'pipe', 'inherit']});
  for await (const text of server.stdout.setEncoding('utf8')) {
    if (text.includes('Ready to accept connections')) break;
  }
  return {url: `redis://127.0.0.1:${port}`, stop: () => end(server)};
}

function end(child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  return ended;
}

function startWorker(url: string, output: string, {model, batchSize}: Options): ChildProcess {
  const models =
    model === undefined
      ? ['--random', 'tiny']
      : [
          ...['--model', model, '--adapter', path.join(model, 'instruct.safetensors')],
          ...['--image-encoder', path.join(model, 'image_encoder')],
        ];
  const args = ['worker', '--queue', url, '-o', output, '--batch-size', `${batchSize}`, ...models];
  return spawn(process.execPath, [program, ...args], {stdio: ['ignore', 'ignore', 'inherit']});
}

/** Seconds in which so many workers do the jobs. */
async function timeWorkers(
  count: number,
  turn: number,
  folder: string,
  subjects: readonly Subject[],
  options: Options,
): Promise<number> {
  const {jobs, steps, batchSize} = options;
  const place = path.join(folder, `${turn}-${count}`);
  const {url: queue, stop} = await startRedis(folder);
  const workers = Array.from({length: count}, () => startWorker(queue, place, options));
  try {
    // Two rounds: in the first, one worker may be ready before the other and take all.
    for (const round of ['first', 'second']) {
      await sendJobs(makeJobs(round, subjects, 4 * count * batchSize, steps), {
        queue,
        folder: `${place}-${round}`,
      });
    }
    const timed = makeJobs('timed', subjects, jobs, steps);
    const begin = performance.now();
    await sendJobs(timed, {queue, folder: `${place}-record`});
    return (performance.now() - begin) / 1000;
  } finally {
    await Promise.all(workers.map(end));
    await stop();
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  // Of the workers, and so of the machine's description.
  process.env['IPAI_NUM_THREADS'] = '1';
  const machine = describeMachine(openDevice('cpu'), null);
  const folder = await mkdtemp(path.join(tmpdir(), 'ipai-queue-'));
  const subjects = await makeSubjects();
  const times = workerCounts.map((): number[] => []);
  try {
    for (let turn = 0; turn < options.repeats; turn++) {
      for (const [index, count] of workerCounts.entries()) {
        times[index]!.push(await timeWorkers(count, turn, folder, subjects, options));
      }
    }
  } finally {
    await rm(folder, {recursive: true});
  }
  const [one, two] = times.map(seconds => options.jobs / summarize(seconds).median) as [number, number];
  const row = {
    jobs: options.jobs,
    steps: options.steps,
    'batch size': options.batchSize,
    turns: options.repeats,
    'one worker pictures/s': one,
    'two workers pictures/s': two,
    ratio: two / one,
  };
  console.log(row);
  if (options.json !== undefined) writeReport(options.json, {machine, rows: [row]});
}

await runProgram(main);
