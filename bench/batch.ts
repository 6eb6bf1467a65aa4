/**
 * `ipai batch` under what it is for: many mixed jobs, killed three times and gone on with, against a run that nobody
 * disturbs; and its speed against generations of the same batches with nothing around them.
 *
 *   npx tsx bench/batch.ts --model FOLDER [--jobs 1000] [--timed-jobs 200] [--steps 10] [--batch-size 8] [--repeats 3]
 *                          [--json FILE]
 *
 * The folder is one of the drawn world's models, with `image_encoder` and `instruct.safetensors`. The exit status is 1 where
 * a picture is missing, or differs, or the ratio of speeds is below 0.95.
 */
import {spawn} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {instructionPool} from '../lib/datasets/instructions/instruction-pool.ts';
import {paperTasks} from '../lib/datasets/instructions/tasks.ts';
import {renderSample} from '../lib/datasets/world/render-sample.ts';
import {worldSample} from '../lib/datasets/world/tasks.ts';
import {writeImage} from '../lib/images/write-image.ts';
import {generationOf, type JobOptions, signatureOf} from '../lib/jobs/job.ts';
import {readJobs} from '../lib/jobs/read-jobs.ts';
import {runJobs} from '../lib/jobs/run-jobs.ts';
import {IPAdapterInstructPipeline} from '../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {openDevice} from '../lib/runtime/device.ts';
import {describeMachine} from './machine.ts';
import {summarize} from './measure.ts';
import {positiveNumber, runProgram} from './options.ts';
import {writeReport} from './report.ts';

const program = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const ratioLimit = 0.95;
const kills = 3;
/** Condition images that the jobs share. */
const conditionCount = 40;
const sizes = [
  {width: 64, height: 64},
  {width: 96, height: 64},
  {width: 64, height: 96},
];

interface Options {
  readonly model: string;
  readonly jobs: number;
  readonly timedJobs: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly repeats: number;
  readonly json: string | undefined;
}

function readOptions(): Options {
  const {values} = parseArgs({
    options: {
      model: {type: 'string', default: 'assets/world'},
      jobs: {type: 'string', default: '1000'},
      'timed-jobs': {type: 'string', default: '200'},
      steps: {type: 'string', default: '10'},
      'batch-size': {type: 'string', default: '8'},
      repeats: {type: 'string', default: '3'},
      json: {type: 'string'},
    },
  });
  const number = (name: 'jobs' | 'timed-jobs' | 'steps' | 'batch-size' | 'repeats') =>
    positiveNumber(`--${name}`, values[name]);
  return {
    model: values.model,
    jobs: number('jobs'),
    timedJobs: number('timed-jobs'),
    steps: number('steps'),
    batchSize: number('batch-size'),
    repeats: number('repeats'),
    json: values.json,
  };
}

/** Writes condition images, and files with all jobs and with those that are timed. */
async function writeJobs(folder: string, {jobs, timedJobs}: Options): Promise<void> {
  for (let i = 0; i < conditionCount; i++) {
    const {condition} = await renderSample(sampleOf(i), 128);
    await writeImage(path.join(folder, `condition-${i}.png`), condition);
  }
  const lines = Array.from({length: jobs}, (_, i) => `${JSON.stringify(jobOf(i))}\n`);
  await writeFile(path.join(folder, 'jobs.jsonl'), lines.join(''));
  await writeFile(path.join(folder, 'timed.jsonl'), lines.slice(0, timedJobs).join(''));
}

function taskOf(i: number) {
  return paperTasks[i % paperTasks.length]!;
}

function sampleOf(i: number) {
  return worldSample(taskOf(i), 'test', 0, i);
}

/** Prompts, images and instructions come again; one of eight has no image. */
function jobOf(i: number): Record<string, unknown> {
  const pool = instructionPool(taskOf(i), 'test');
  return {
    id: `job-${i}`,
    prompt: sampleOf(i % 300).prompt,
    ...sizes[i % sizes.length],
    ...(i % 8 !== 7 && {
      ipAdapterImage: `condition-${i % conditionCount}.png`,
      instruction: pool[i % pool.length],
    }),
  };
}

interface BatchRun {
  readonly pictures: number;
  readonly seconds: number;
}

/** Runs the command until it ends, or has counted so many pictures and is killed. */
function runBatch(
  folder: string,
  output: string,
  options: Options,
  killAt = Infinity,
): Promise<BatchRun | undefined> {
  const {model, steps, batchSize} = options;
  const args = [
    ...['batch', path.join(folder, 'jobs.jsonl'), '-o', output, '--json'],
    ...['--steps', `${steps}`, '--batch-size', `${batchSize}`, '--guidance-scale', '4'],
    ...modelArguments(model),
  ];
  const child = spawn(process.execPath, [program, ...args], {stdio: ['ignore', 'pipe', 'pipe']});
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
    const done = Number(/picture (\d+)\/\d+[^\n]*\n[^\n]*$/.exec(stderr)?.[1] ?? 0);
    if (done >= killAt) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => {
      if (code === null) return resolve(undefined);
      if (code !== 0) return reject(new Error(`ipai batch: exit code ${code}: ${stderr.slice(-500)}`));
      const {done: pictures, seconds} = JSON.parse(stdout);
      resolve({pictures, seconds});
    });
  });
}

function modelArguments(model: string): string[] {
  const {adapter, imageEncoder} = filesOf(model);
  return ['--model', model, '--adapter', adapter, '--image-encoder', imageEncoder];
}

function filesOf(model: string) {
  return {
    model,
    adapter: path.join(model, 'instruct.safetensors'),
    imageEncoder: path.join(model, 'image_encoder'),
  };
}

/** @returns how many pictures there are, and how many are not those of the other folder */
async function compare(folder: string, other: string): Promise<{pictures: number; different: number}> {
  const picturesIn = async (place: string) =>
    (await readdir(place)).filter(name => name.endsWith('.png')).sort();
  const [names, others] = [await picturesIn(folder), await picturesIn(other)];
  let different = Math.abs(names.length - others.length);
  for (const name of others) {
    const [a, b] = await Promise.all(
      [folder, other].map(place => readFile(path.join(place, name)).catch(() => Buffer.alloc(0))),
    );
    if (!a!.equals(b!)) different++;
  }
  return {pictures: names.length, different};
}

/** Pictures per second of the queue with all around it, and of bare generations of the same batches. */
async function measureSpeeds(folder: string, options: Options) {
  const {model, steps, batchSize, repeats} = options;
  const defaults = {numInferenceSteps: steps, guidanceScale: 4};
  const jobs = await readJobs(path.join(folder, 'timed.jsonl'), defaults);
  const batches = batchesOf(
    jobs.map(job => job.options as JobOptions),
    batchSize,
  );
  const open = () =>
    IPAdapterInstructPipeline.load({...filesOf(model), keepModels: true, encodingCacheBytes: 2 ** 28});
  const times: Record<'batch' | 'bare', number[]> = {batch: [], bare: []};
  for (let repeat = 0; repeat <= repeats; repeat++) {
    for (const side of ['bare', 'batch'] as const) {
      await using pipeline = await open();
      // Weights are prepared and functions compiled before the clock runs.
      for (const batch of batches) await pipeline.generate({...generationOf(batch), numInferenceSteps: 1});
      const begin = performance.now();
      if (side === 'bare') for (const batch of batches) await pipeline.generate(generationOf(batch));
      else await runJobs(pipeline, jobs, {folder: path.join(folder, `timed-${repeat}`), batchSize});
      // The first of each side warms up.
      if (repeat > 0) times[side].push((performance.now() - begin) / 1000);
    }
  }
  const rate = (side: 'batch' | 'bare') => jobs.length / summarize(times[side]).median;
  return {batch: rate('batch'), bare: rate('bare'), ratio: rate('batch') / rate('bare')};
}

function batchesOf(jobs: readonly JobOptions[], batchSize: number): JobOptions[][] {
  const groups = new Map<string, JobOptions[]>();
  for (const job of jobs) {
    const signature = signatureOf(job);
    groups.set(signature, [...(groups.get(signature) ?? []), job]);
  }
  return [...groups.values()].flatMap(group =>
    Array.from({length: Math.ceil(group.length / batchSize)}, (_, i) =>
      group.slice(i * batchSize, (i + 1) * batchSize),
    ),
  );
}

async function main(): Promise<void> {
  const options = readOptions();
  const machine = describeMachine(openDevice('cpu'), null);
  const folder = await mkdtemp(path.join(tmpdir(), 'ipai-batch-'));
  try {
    await writeJobs(folder, options);
    const [whole, killed] = ['whole', 'killed'].map(name => path.join(folder, name)) as [string, string];
    for (let kill = 1; kill <= kills; kill++)
      await runBatch(folder, killed, options, (options.jobs * kill) / (kills + 1));
    await runBatch(folder, killed, options);
    const unbroken = await runBatch(folder, whole, options);
    const {pictures, different} = await compare(killed, whole);
    const speeds = await measureSpeeds(folder, options);
    const row = {
      jobs: options.jobs,
      kills,
      pictures,
      different,
      'unbroken s': unbroken!.seconds,
      'timed jobs': options.timedJobs,
      'batch pictures/s': speeds.batch,
      'bare pictures/s': speeds.bare,
      ratio: speeds.ratio,
    };
    console.log(row);
    if (options.json !== undefined) writeReport(options.json, {machine, rows: [row]});
    if (pictures !== options.jobs || different > 0 || speeds.ratio < ratioLimit) process.exitCode = 1;
  } finally {
    await rm(folder, {recursive: true});
  }
}

await runProgram(main);
