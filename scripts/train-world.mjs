#!/usr/bin/env node
// Makes the small model that ships, from nothing: draws the world, trains all parts by the recipes of recipes/world, puts
// them together. Stages that are finished are passed over, so that it may be stopped and begun again at any time.
//   node scripts/train-world.mjs [--work <folder>] [--short] [stage …]
// With --short all is small and takes minutes: it shows that the chain works and that losses fall, not what it can reach.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {parse, stringify} from 'yaml';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const {values, positionals} = parseArgs({
  options: {work: {type: 'string', default: root}, short: {type: 'boolean', default: false}},
  allowPositionals: true,
});
const work = path.resolve(values.work);
const inWork = (...names) => path.join(work, ...names);

/** Of so many draws that what so few steps teach shows. */
const shortValidation = {lossEvery: 10, drawsPerTask: 64, samplesEvery: 0};

/** What --short changes in a recipe. */
const shortened = {
  'autoencoder.yaml': {steps: 60, batchSize: 8},
  'decoder.yaml': {steps: 60, batchSize: 8},
  'clip.yaml': {steps: 60, batchSize: 32},
  'factor-reader.yaml': {steps: 60, batchSize: 32},
  'unet.yaml': {steps: 160, batchSize: 16},
  'ip-adapter-plus.yaml': {steps: 60, batchSize: 16, learningRate: 5e-4, validation: shortValidation},
  'instruct.yaml': {steps: 60, batchSize: 20, learningRate: 1e-4, validation: shortValidation},
};

function ipai(...args) {
  process.stdout.write(`ipai ${args.map(arg => path.relative(process.cwd(), arg) || arg).join(' ')}\n`);
  const {status} = spawnSync(process.execPath, [path.join(root, 'dist/cli.js'), ...args], {stdio: 'inherit'});
  if (status !== 0) process.exit(status ?? 1);
}

/** The recipe as it is, or a shorter one in the folder of the work, where its relative paths lead to the work's folders. */
function recipePath(name, changes = {}) {
  const source = path.join(root, 'recipes/world', name);
  if (!values.short && work === root && Object.keys(changes).length === 0) return source;
  const recipe = parse(readFileSync(source, 'utf8'));
  const short = values.short ? {...shortened[name], warmupSteps: 5, numWorkers: 0} : {};
  const {output = recipe.output, ...training} = changes;
  const written = {...recipe, output, training: {...recipe.training, ...training, ...short}};
  const target = inWork('runs/world-recipes', `${path.basename(output)}.yaml`);
  mkdirSync(path.dirname(target), {recursive: true});
  writeFileSync(target, stringify(written));
  return target;
}

const run = name => inWork('runs/world', name);

/** The newest checkpoint of a run. */
function newest(name) {
  const checkpoints = readdirSync(run(name)).filter(entry => /^checkpoint-\d+$/.test(entry));
  return path.join(run(name), checkpoints.sort().at(-1));
}

const averagesOf = name => path.join(newest(name), 'ema');

function draw(name, split, count) {
  const folder = inWork('data', name);
  if (existsSync(folder)) return;
  mkdirSync(path.dirname(folder), {recursive: true});
  const size = values.short ? Math.min(count, 1000) : count;
  ipai(
    'dataset',
    'world',
    '-o',
    folder,
    '--count',
    `${size}`,
    '--size',
    '64',
    '--seed',
    '1',
    '--split',
    split,
    '--shard-size',
    '2000',
  );
}

function train(name, changes) {
  const recipe = recipePath(name, changes);
  ipai('train', '--config', recipe);
  if (values.short)
    checkLosses(path.resolve(path.dirname(recipe), parse(readFileSync(recipe, 'utf8')).output));
}

/** Fails unless a run's losses fell: those of the held-out set, which has the same draws each time, where there is one. */
function checkLosses(folder) {
  const lines = readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  const events = lines.map(line => JSON.parse(line));
  const lossesOf = wanted => events.filter(({kind}) => kind === wanted).map(({loss}) => loss);
  const [held, trained] = [lossesOf('validation'), lossesOf('step')];
  const mean = part => part.reduce((a, b) => a + b) / part.length;
  const [first, last] =
    held.length > 1 ? [held[0], held.at(-1)] : [mean(trained.slice(0, 8)), mean(trained.slice(-8))];
  process.stdout.write(`losses from ${first.toFixed(4)} to ${last.toFixed(4)}\n`);
  if (last < first) return;
  process.stderr.write(`${folder}: expected losses to fall\n`);
  process.exit(1);
}

const model = inWork('models/world');
const scheduler = path.join(root, 'recipes/world/scheduler_config.json');
const format = ['--scheduler', scheduler, '--dtype', 'float16'];
const autoencoder = name => ['--autoencoder', averagesOf(name), '--dataset', inWork('data/world-64')];
const tasks = ['replication', 'style', 'object', 'composition', 'face'];

/** What two cores can do eight times: a 24th of what the adapter that ships is trained on. */
const equalSteps = {steps: 400, batchSize: 32, textTeacher: 0.8};
/** Likewise of adapters for all tasks, each of which counts as much as the others. */
const allTasks = {...equalSteps, taskWeights: Object.fromEntries(tasks.map(task => [task, 1]))};

function exportAdapter(name) {
  mkdirSync(model, {recursive: true});
  const averages = path.join(averagesOf(name), 'adapter.safetensors');
  ipai('convert', averages, path.join(model, `${name}.safetensors`), '--dtype', 'float16');
}

const stages = {
  data() {
    draw('world-64', 'train', 60_000);
    draw('world-64-validation', 'validation', 600);
    draw('world-64-test', 'test', 1000);
    const vocabulary = inWork('models/world-vocabulary');
    if (existsSync(vocabulary)) return;
    mkdirSync(path.dirname(vocabulary), {recursive: true});
    ipai('dataset', 'vocabulary', inWork('data/world-64'), '-o', vocabulary, '--size', '2048');
  },
  clip: () => train('clip.yaml'),
  autoencoder: () => train('autoencoder.yaml'),
  encoders: () =>
    ipai('assemble', '-o', model, '--clip', newest('clip'), ...autoencoder('autoencoder'), ...format),
  decoder() {
    train('decoder.yaml');
    ipai('assemble', '-o', model, ...autoencoder('decoder'), ...format);
  },
  'factor-reader': () => train('factor-reader.yaml'),
  unet: () => train('unet.yaml'),
  base: () => ipai('assemble', '-o', model, '--unet', averagesOf('unet'), ...format),
  'ip-adapter-plus'() {
    train('ip-adapter-plus.yaml');
    exportAdapter('ip-adapter-plus');
  },
  instruct() {
    train('instruct.yaml');
    exportAdapter('instruct');
  },
  // The paper's comparison, at equal steps: all tasks, one task each, one instruction for each task.
  'equal-steps'() {
    train('instruct.yaml', {output: '../../runs/world/joint', ...allTasks});
    exportAdapter('joint');
  },
  'single-tasks'() {
    for (const task of tasks) {
      const changes = {output: `../../runs/world/single-${task}`, taskWeights: {[task]: 1}};
      train('instruct.yaml', {...changes, ...equalSteps});
      exportAdapter(`single-${task}`);
    }
  },
  'fixed-instructions'() {
    const {training} = parse(
      readFileSync(path.join(root, 'recipes/paper-ablation-fixed-instructions.yaml'), 'utf8'),
    );
    const changes = {output: '../../runs/world/fixed-instructions', instructions: training.instructions};
    train('instruct.yaml', {...changes, ...allTasks});
    exportAdapter('fixed-instructions');
  },
  evaluate() {
    const adapter = name => path.join(model, `${name}.safetensors`);
    const compared = [
      ['joint', 'joint'],
      ['shipped', 'instruct'],
      ['plus', 'ip-adapter-plus'],
      ['fixed', 'fixed-instructions'],
    ].filter(([, name]) => existsSync(adapter(name)));
    for (const task of tasks) {
      if (existsSync(adapter(`single-${task}`))) compared.push([`single:${task}`, `single-${task}`]);
    }
    const amounts = values.short
      ? [
          '--samples-per-task',
          '2',
          '--steps',
          '4',
          '--rewording-samples',
          '1',
          '--rewordings',
          '2',
          '--rewording-seeds',
          '2',
        ]
      : ['--samples-per-task', '100', '--steps', '30', '--batch-size', '20'];
    ipai(
      ...['evaluate', '--model', model, '--image-encoder', path.join(model, 'image_encoder')],
      ...['--clip-text-encoder', newest('clip'), '--factor-reader', averagesOf('factor-reader')],
      ...compared.flatMap(([label, name]) => ['--adapter', `${label}=${adapter(name)}`]),
      ...(compared.some(([label]) => label === 'fixed') ? ['--fixed', 'fixed'] : []),
      ...['--dataset', inWork('data/world-64-test'), '-o', run('evaluation'), ...amounts],
    );
  },
};

const wanted = positionals.length > 0 ? positionals : Object.keys(stages);
for (const stage of wanted) {
  if (!(stage in stages)) {
    process.stderr.write(`stage: expected some of ${Object.keys(stages).join(', ')}, got ${stage}\n`);
    process.exit(2);
  }
  process.stdout.write(`\n== ${stage}\n`);
  stages[stage]();
}
