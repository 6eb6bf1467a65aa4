import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {parse, stringify} from 'yaml';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

const steps = 20;

/** A recipe that trains a small model of random weights in seconds. */
async function writeRecipe(t: ExecutionContext, dataset: string): Promise<string> {
  const folder = await tempFolder(t);
  const recipe = {
    models: {random: 'tiny', dtype: 'float32'},
    adapter: {kind: 'instruct'},
    dataset,
    training: {steps, resolution: 64, accumulate: 2, learningRate: 1e-3, checkpointEvery: 5, seed: 3},
    output: 'run',
  };
  await writeFile(join(folder, 'recipe.yaml'), stringify(recipe));
  return folder;
}

test('stopped by SIGTERM and begun again, a run ends with the bytes of an unbroken one', async t => {
  const dataset = await writeTrainingSet(t);
  const train = async (folder: string, stopAt?: number) => {
    let isStopped = false;
    const result = await runCli(['train', '--config', join(folder, 'recipe.yaml'), '--json'], {
      onStderr: (text, child) => {
        if (isStopped || !text.includes(`step ${stopAt}/${steps}`)) return;
        // A second signal would end it at once.
        isStopped = child.kill('SIGTERM');
      },
    });
    t.is(result.exitCode, 0, result.stderr);
    return JSON.parse(result.stdout);
  };
  const [unbroken, broken] = [await writeRecipe(t, dataset), await writeRecipe(t, dataset)];
  const whole = await train(unbroken);
  t.deepEqual(whole, {folder: join(unbroken, 'run'), step: steps, isFinished: true, problems: []});
  const first = await train(broken, 7);
  t.true(first.step >= 7 && first.step < steps && !first.isFinished);
  const saved = (await readdir(join(broken, 'run'))).filter(name => name.startsWith('checkpoint-'));
  t.deepEqual(saved.at(-1), `checkpoint-0000000${first.step}`);
  t.true((await train(broken)).isFinished);
  for (const name of ['adapter.safetensors', 'optimizer.safetensors', 'trainer.json']) {
    const read = (folder: string) => readFile(join(folder, 'run', `checkpoint-000000${steps}`, name));
    t.deepEqual(await read(broken), await read(unbroken), name);
  }
});

test('a run tells what it sees of a held-out set, and that a look failed', async t => {
  const folder = await writeRecipe(t, await writeTrainingSet(t));
  const path = join(folder, 'recipe.yaml');
  const {training, ...recipe} = parse(await readFile(path, 'utf8'));
  const validation = {drawsPerTask: 2, samplesPerTask: 1, numInferenceSteps: 2};
  const validationSet = await writeTrainingSet(t);
  const withSet = {
    ...recipe,
    validationSet,
    training: {...training, steps: 2, ema: {decay: 0.9}, validation},
  };
  await writeFile(path, stringify(withSet));
  const {exitCode, stderr} = await runCli(['train', '--config', path]);
  t.is(exitCode, 0, stderr);
  t.regex(stderr, /\nstep 2 · validation loss [\d.]+ \(face [\d.]+, style [\d.]+\)\n/);
  const grid = join(folder, 'run/samples/step-00000002.png');
  t.regex(stderr, new RegExp(`\\nstep 2 · ${grid} · clipI face [-\\d.]+, style`));
  t.true((await readdir(join(folder, 'run/checkpoint-00000002'))).includes('ema'));
  await rm(join(folder, 'run'), {recursive: true});
  await mkdir(join(folder, 'run'));
  await writeFile(join(folder, 'run/samples'), 'in the way');
  const failed = await runCli(['train', '--config', path]);
  t.is(failed.exitCode, 0, failed.stderr);
  t.regex(failed.stderr, /\nwarning: step 2 · samples failed, training goes on: /);
});

test('a dry run says what it expects and takes, and writes nothing', async t => {
  const folder = await writeRecipe(t, 'nowhere');
  const {exitCode, stdout, stderr} = await runCli([
    'train',
    ...['--config', join(folder, 'recipe.yaml'), '--dry-run'],
  ]);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /^run: instruct adapter, 20 steps of 2 \(2 x 1\) samples, 64x64, float32/);
  t.regex(stdout, new RegExp(`\\ndata: expected in ${join(folder, 'nowhere')}: manifest.jsonl`));
  t.regex(stdout, /\nmemory: about [\d.]+ MB /);
  t.regex(stdout, /\nactivations: [\d.]+ MB kept, [\d.]+ MB with recompute\n/);
  t.regex(stdout, /\nstep: .+\ntotal: /);
  t.deepEqual(await readdir(folder), ['recipe.yaml']);
});

test('what is wrong in a recipe is listed', async t => {
  const folder = await writeRecipe(t, '.');
  const path = join(folder, 'recipe.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(
    path,
    text.replace('learningRate', 'learningrate').replace('resolution: 64', 'resolution: 65'),
  );
  const {exitCode, stderr} = await runCli(['train', '--config', path]);
  t.is(exitCode, 1);
  t.regex(stderr, /recipe\.yaml: not a recipe/);
  t.regex(stderr, /learningrate/);
  t.regex(stderr, /multiple of 8/);
});
