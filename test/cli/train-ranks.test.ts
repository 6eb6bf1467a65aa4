import {readdirSync, readFileSync} from 'node:fs';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {mpiProblem, mpirun} from '../_helpers/mpi.ts';
import {type CliOptions, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

/** A test that begins several processes; where there is no MPI it is passed over, and its title says why. */
const testWithRanks = (title: string, body: (t: ExecutionContext) => Promise<void>) =>
  mpiProblem === undefined ? test.serial(title, body) : test.skip(`${title}: ${mpiProblem}`, body);

/** A recipe that trains a small model of random weights in seconds. */
async function writeRecipe(t: ExecutionContext, training: object = {}): Promise<string> {
  const folder = await tempFolder(t);
  const recipe = {
    models: {random: 'tiny', dtype: 'float32', device: 'cpu'},
    adapter: {kind: 'instruct'},
    dataset: await writeTrainingSet(t),
    training: {
      ...{steps: 9, resolution: 64, batchSize: 2, numWorkers: 0, learningRate: 1e-3, maxGradientNorm: 1},
      ...{checkpointEvery: 100, seed: 3, ...training},
    },
    output: 'run',
  };
  const path = join(folder, 'recipe.yaml');
  await writeFile(path, stringify(recipe));
  return path;
}

/** Sends a signal once, as soon as a step is told of. */
function atStep(step: number, act: (pid: number) => void): NonNullable<CliOptions['onStderr']> {
  let isDone = false;
  return (text, child) => {
    if (isDone || !text.includes(`step ${step}/`)) return;
    isDone = true;
    act(child.pid!);
  };
}

async function train(
  t: ExecutionContext,
  recipe: string,
  output: string,
  options: CliOptions = {},
): Promise<{step: number; isFinished: boolean}> {
  const args = ['train', '--config', recipe, '--output', output, '--json'];
  const {exitCode, stdout, stderr} = await runCli(args, options);
  t.is(exitCode, 0, stderr);
  // One object: rank 0 alone prints.
  return JSON.parse(stdout);
}

async function metricsOf(folder: string): Promise<{step: number; loss: number; gradientNorm: number}[]> {
  const lines = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map(line => JSON.parse(line));
}

testWithRanks('two processes train as one does, and a run goes on with another number of them', async t => {
  const recipe = await writeRecipe(t);
  const [alone, together] = [await tempFolder(t), await tempFolder(t)];
  await train(t, recipe, alone);
  const signal = (name: NodeJS.Signals) => (pid: number) => void process.kill(pid, name);
  const launcher = mpirun(2);
  const first = await train(t, recipe, together, {launcher, onStderr: atStep(2, signal('SIGUSR2'))});
  t.false(first.isFinished);
  t.deepEqual(
    (await readdir(together)).filter(name => name.startsWith('checkpoint-')),
    [`checkpoint-0000000${first.step}`],
  );
  const second = await train(t, recipe, together, {onStderr: atStep(first.step + 1, signal('SIGTERM'))});
  t.true(second.step > first.step);
  t.true((await train(t, recipe, together, {launcher})).isFinished);
  const [expected, got] = [await metricsOf(alone), await metricsOf(together)];
  t.deepEqual(
    got.map(({step}) => step),
    expected.map(({step}) => step),
  );
  for (const [index, {loss, gradientNorm}] of got.entries()) {
    const other = expected[index]!;
    t.true(Math.abs(loss / other.loss - 1) < 1e-5, `loss ${loss} beside ${other.loss}`);
    t.true(Math.abs(gradientNorm / other.gradientNorm - 1) < 1e-4, `${gradientNorm}, ${other.gradientNorm}`);
  }
});

testWithRanks('Ctrl-C on mpirun saves once and ends all processes at one step', async t => {
  const recipe = await writeRecipe(t, {steps: 100_000});
  const output = await tempFolder(t);
  // mpirun asks its processes to end after so many seconds, and kills them after as many more.
  const launcher = mpirun(2, ['--mca', 'odls_base_sigkill_timeout', '12']);
  const args = ['train', '--config', recipe, '--output', output, '--json'];
  const onStderr = atStep(2, pid => process.kill(pid, 'SIGINT'));
  const {stdout, stderr} = await runCli(args, {launcher, onStderr});
  const {step, isFinished} = JSON.parse(stdout);
  t.false(isFinished);
  t.is((await metricsOf(output)).length, step);
  const checkpoints = (await readdir(output)).filter(name => name.startsWith('checkpoint-'));
  t.is(checkpoints.sort().at(-1), `checkpoint-${String(step).padStart(8, '0')}`);
  t.false(stderr.includes('error'), stderr);
});

testWithRanks('a process that is killed ends the others', async t => {
  const recipe = await writeRecipe(t, {steps: 100_000});
  let killedAt = 0;
  const onStderr = atStep(2, pid => {
    const ranks = childrenOf(pid);
    t.is(ranks.length, 2);
    killedAt = performance.now();
    process.kill(ranks[1]!, 'SIGKILL');
  });
  const args = ['train', '--config', recipe];
  const {exitCode} = await runCli(args, {launcher: mpirun(2), onStderr});
  t.not(exitCode, 0);
  t.true(performance.now() - killedAt < 30_000);
});

testWithRanks('what rank 0 alone cannot do ends all, with the reason', async t => {
  const recipe = await writeRecipe(t);
  const output = await tempFolder(t);
  await mkdir(join(output, 'metrics.jsonl'));
  const args = ['train', '--config', recipe, '--output', output];
  const {exitCode, stdout, stderr} = await runCli(args, {launcher: mpirun(2)});
  t.is(exitCode, 1);
  t.is(stdout, '');
  t.regex(stderr, /error: .*metrics\.jsonl: cannot be written/);
});

testWithRanks('a batch that processes cannot share out is refused', async t => {
  const recipe = await writeRecipe(t);
  const {exitCode, stderr} = await runCli(['train', '--config', recipe], {launcher: mpirun(3)});
  t.is(exitCode, 1);
  t.regex(stderr, /error: batchSize: expected a multiple of 3, .* got 2\./);
});

/** Processes that a process has begun. */
function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap(task =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
}
