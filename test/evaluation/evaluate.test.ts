import {copyFile, mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {evaluate} from '../../lib/evaluation/evaluate.ts';
import type {EvaluationProgress} from '../../lib/evaluation/evaluate-options.ts';
import {adaptersOfRun} from '../../lib/evaluation/evaluated-adapters.ts';
import type {FactorScoreRequest, FactorScorer} from '../../lib/evaluation/factor-scorer.ts';
import {pictureRecord} from '../../lib/evaluation/picture-record.ts';
import {writeImage} from '../../lib/images/write-image.ts';
import {faceModels, facePhotograph} from '../_helpers/face-fixture.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {adapterFiles, drawnSet, evaluationOf} from '../_helpers/tiny-evaluation.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

async function recordsIn(folder: string) {
  const text = await readFile(join(folder, 'results.jsonl'), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map(line => pictureRecord.parse(JSON.parse(line)));
}

test.serial('all adapters have the same samples and noise, and each score of the paper', async t => {
  const options = await evaluationOf(t);
  const {scores, differences, leftOut, problems} = await evaluate(options);
  t.is(scores.length, 10);
  for (const {samples, pictures, metrics} of scores) {
    t.deepEqual([samples, pictures], [2, 2]);
    t.deepEqual(Object.keys(metrics), [
      ...['clipI', 'clipITarget', 'clipT', 'clipP', 'clipS'],
      ...['clipTScore', 'clipPScore', 'clipSScore'],
    ]);
  }
  t.deepEqual([leftOut, problems], [{}, []]);
  t.deepEqual(
    new Set(differences.map(({adapter, reference}) => `${adapter} - ${reference}`)),
    new Set(['plus - joint']),
  );
  const records = await recordsIn(options.folder);
  const pools = (await openDataset(options.dataset)).instructions;
  const made = (label: string) => records.filter(({adapter}) => adapter === label);
  for (const [i, {sample, seed, task, instruction}] of made('joint').entries()) {
    t.is(seed, sample);
    t.is(made('plus')[i]!.seed, seed);
    t.is(made('plus')[i]!.instruction, '');
    if (task !== 'object') t.true(pools.get(task)!.includes(instruction));
  }
  t.is(new Set(made('joint').map(({instruction}) => instruction)).size, 10);
});

test.serial('an evaluation that was aborted goes on, and finds the same', async t => {
  const dataset = await drawnSet(t);
  const whole = await evaluationOf(t, {dataset});
  const broken = await evaluationOf(t, {dataset});
  const expected = await evaluate(whole);
  const controller = new AbortController();
  const onProgress = ({done}: EvaluationProgress) => {
    if (done >= 8) controller.abort(new Error('enough'));
  };
  await t.throwsAsync(evaluate({...broken, signal: controller.signal, onProgress}), {message: 'enough'});
  t.deepEqual((await readdir(broken.folder)).sort(), ['pictures', 'results.jsonl']);
  const kept = await recordsIn(broken.folder);
  t.true(kept.length >= 8 && kept.length < 20);
  const before = await stat(join(broken.folder, 'pictures', `${kept[0]!.id}.png`));
  t.deepEqual(await evaluate(broken), expected);
  t.is((await stat(join(broken.folder, 'pictures', `${kept[0]!.id}.png`))).mtimeMs, before.mtimeMs);
  for (const {id} of kept) {
    const picture = (folder: string) => readFile(join(folder, 'pictures', `${id}.png`));
    t.deepEqual(await picture(broken.folder), await picture(whole.folder), id);
  }
});

test.serial('more samples go on from fewer; other settings, models and sets are refused', async t => {
  const options = await evaluationOf(t, {
    samplesPerTask: 1,
    adapters: [{label: 'joint', file: adapterFiles.instruct}],
  });
  await evaluate(options);
  const first = await recordsIn(options.folder);
  await evaluate({...options, samplesPerTask: 2, batchSize: 1});
  t.deepEqual((await recordsIn(options.folder)).slice(0, 5), first);
  const refused = {instanceOf: ArgumentError, message: /is of others/};
  await t.throwsAsync(evaluate({...options, generation: {numInferenceSteps: 3}}), refused);
  await t.throwsAsync(evaluate({...options, seed: 1}), refused);
  await t.throwsAsync(evaluate({...options, dataset: await drawnSet(t, 5)}), refused);
  await t.throwsAsync(evaluate({...options, adapters: [{label: 'joint', file: adapterFiles.plus}]}), refused);
  t.is((await recordsIn(options.folder)).length, 10);
});

test.serial(
  'adapters of one label share a row, each for its tasks; fixed instructions are always the same',
  async t => {
    const adapters = [
      {label: 'single', file: adapterFiles.instruct, tasks: ['style']},
      {label: 'single', file: adapterFiles.plus, tasks: ['face']},
      {
        label: 'fixed',
        file: adapterFiles.instruct,
        tasks: ['face', 'object'],
        instructions: 'fixed' as const,
      },
    ];
    const options = await evaluationOf(t, {adapters, fixedInstructions: {face: 'the face'}});
    const {scores} = await evaluate(options);
    t.deepEqual(scores.map(({adapter, task}) => `${adapter} ${task}`).sort(), [
      ...['fixed face', 'fixed object', 'single face', 'single style'],
    ]);
    const dataset = await openDataset(options.dataset);
    for (const {adapter, task, instruction, sample} of await recordsIn(options.folder)) {
      if (adapter !== 'fixed') continue;
      t.is(instruction, task === 'face' ? 'the face' : `use the ${dataset.samples[sample]!.objectName}`);
    }
  },
);

test.serial('what is wrong with adapters is told before anything is made', async t => {
  const options = await evaluationOf(t);
  const refused = async (adapters: typeof options.adapters, message: RegExp) => {
    await t.throwsAsync(evaluate({...options, adapters}), {instanceOf: ArgumentError, message});
  };
  const file = adapterFiles.instruct;
  await refused([], /at least one/);
  await refused([{label: 'a b', file}], /labels/);
  await refused([{label: 'a', file, tasks: ['stlye']}], /'stlye'/);
  await refused(
    [
      {label: 'a', file},
      {label: 'a', file: adapterFiles.plus, tasks: ['face']},
    ],
    /one adapter labelled 'a'/,
  );
  await t.throwsAsync(evaluate({...options, samplesPerTask: 0}), {instanceOf: ArgumentError});
  await t.throwsAsync(evaluate({...options, history: ['nowhere.json']}), {instanceOf: FileError});
  t.deepEqual(await readdir(options.folder), []);
});

test.serial('the truth comes from whoever reads the factors', async t => {
  const asked: FactorScoreRequest[] = [];
  const factorScorer: FactorScorer = {
    name: 'a reader',
    score: async request => {
      asked.push(request);
      return {taken: {style: true}, leaked: {objectKind: false}, followed: {}};
    },
  };
  const options = await evaluationOf(t, {factorScorer, samplesPerTask: 1});
  const {scores, targets} = await evaluate(options);
  // Five tasks, of two adapters and of the targets themselves.
  t.is(asked.length, 15);
  t.deepEqual([...new Set(targets.map(({adapter}) => adapter))], ['targets']);
  for (const {task, factors, picture} of asked) {
    // Targets are as large as they were drawn.
    t.true([64, 32].includes(picture.width));
    if (task === 'style') t.deepEqual(factors.target.style, factors.condition.factors.style);
  }
  t.is(targets.length, 5);
  for (const {metrics, factors} of [...scores, ...targets]) {
    t.deepEqual([metrics.taken?.mean, metrics.leaked?.mean, metrics.followed], [1, 0, undefined]);
    t.deepEqual(factors?.taken, {style: {hits: 1, count: 1}});
  }
  const html = await readFile(join(options.folder, 'report.html'), 'utf8');
  t.regex(html, /Reader: a reader\./);
  t.regex(html, /1 of 1/);
  // Scores of another reader are others.
  await t.throwsAsync(evaluate({...options, factorScorer: {...factorScorer, name: 'another'}}), {
    instanceOf: ArgumentError,
  });
});

test.serial('without a text tower and captions their scores are left out; bad pictures are told', async t => {
  const dataset = await writeTrainingSet(t, {bad: [0]});
  const {clip, ...options} = await evaluationOf(t, {dataset});
  const {scores, leftOut, problems} = await evaluate(options);
  t.deepEqual(Object.keys(leftOut), ['clipT', 'clipP', 'clipS']);
  t.regex(leftOut.clipP!, /text tower/);
  t.is(problems.length, 1);
  t.deepEqual(
    scores.map(({task, samples}) => [task, samples]),
    [
      ['face', 2],
      ['face', 2],
      ['style', 1],
      ['style', 1],
    ],
  );
  // What can be made is not made again.
  const first = await recordsIn(options.folder);
  await evaluate(options);
  t.deepEqual(await recordsIn(options.folder), first);
  const captioned = await evaluate({...options, clip, folder: await tempFolder(t)});
  t.deepEqual(Object.keys(captioned.leftOut), ['clipT', 'clipS']);
  t.regex(captioned.leftOut.clipS!, /conditionPrompt/);
});

test.serial('whose face pictures show is scored where the condition shows one', async t => {
  const dataset = await writeTrainingSet(t);
  const adapters = [{label: 'joint', file: adapterFiles.instruct}];
  const options = await evaluationOf(t, {dataset, adapters, faceModels});
  const {leftOut} = await evaluate(options);
  t.regex(leftOut.identity!, /a face that is found/);
  // The first of the task: its target is its condition.
  await writeImage(join(dataset, '1.png'), await facePhotograph());
  const folder = await tempFolder(t);
  const found = await evaluate({...options, folder});
  t.false('identity' in found.leftOut);
  t.deepEqual(
    (await recordsIn(folder)).flatMap(({sample, scores}) =>
      'identity' in scores ? [[sample, scores.identity]] : [],
    ),
    [[1, 0]],
  );
  t.regex(await readFile(join(folder, 'report.html'), 'utf8'), /<th scope="col">identity<\/th>/);
  // Pictures without that score are others.
  await t.throwsAsync(evaluate({...options, folder, faceModels: undefined}), {instanceOf: ArgumentError});
});

test.serial('towers of different CLIP models are refused', async t => {
  const clip = {
    imageEncoder: inReference('image_encoder'),
    textEncoder: inReference('model', 'text_encoder'),
  };
  await t.throwsAsync(evaluate(await evaluationOf(t, {clip})), {
    instanceOf: ArgumentError,
    message: /projects to 40 channels/,
  });
});

test.serial(
  'checkpoints of a run, and earlier evaluations, make curves; tables have the last step',
  async t => {
    const run = await tempFolder(t);
    for (const step of [1, 20]) {
      const checkpoint = join(run, `checkpoint-${String(step).padStart(8, '0')}`);
      await mkdir(checkpoint);
      await copyFile(
        step === 1 ? adapterFiles.plus : adapterFiles.instruct,
        join(checkpoint, 'adapter.safetensors'),
      );
    }
    const earlier = await evaluationOf(t, {adapters: await adaptersOfRun('run', run), samplesPerTask: 1});
    const {scores} = await evaluate(earlier);
    t.deepEqual(new Set(scores.map(({step}) => step)), new Set([1, 20]));
    const page = await readFile(join(earlier.folder, 'report.html'), 'utf8');
    t.regex(page, /<h2>Training<\/h2>/);
    t.is(page.match(/<polyline/g)?.length, 10);
    const later = await evaluationOf(t, {
      dataset: earlier.dataset,
      adapters: [{label: 'base', file: adapterFiles.plus}],
      samplesPerTask: 1,
      history: [join(earlier.folder, 'evaluation.json')],
    });
    const {history} = await evaluate(later);
    t.deepEqual(history, scores);
    t.is((await readFile(join(later.folder, 'report.html'), 'utf8')).match(/<polyline/g)?.length, 10);
    await t.throwsAsync(adaptersOfRun('run', later.folder), {instanceOf: ArgumentError});
  },
);

test.serial('rewording is measured against noise, and instructions are mapped', async t => {
  const options = await evaluationOf(t, {
    samplesPerTask: 1,
    rewording: {samplesPerTask: 1, wordings: 3, seeds: 2},
    instructionsPerTask: 8,
  });
  const {rewording, instructionMap} = await evaluate(options);
  t.deepEqual(
    rewording.map(({adapter, conditions}) => [adapter, conditions]),
    [['joint', 5]],
  );
  const {wordingDistance, noiseDistance, ratio} = rewording[0]!;
  t.true(wordingDistance > 0 && noiseDistance > 0);
  t.true(Math.abs(ratio.mean - wordingDistance / noiseDistance) < 1e-9);
  const records = (await recordsIn(options.folder)).filter(({id}) => id.startsWith('rewording/'));
  t.is(records.length, 5 * 3 * 2);
  for (const sample of [0, 1, 2, 3, 4]) {
    const own = records.filter(record => record.sample === sample);
    t.is(new Set(own.map(({instruction}) => instruction)).size, 3);
    t.is(new Set(own.map(({seed}) => seed)).size, 2);
  }
  t.is(instructionMap!.instructions.length, 40);
  t.true(instructionMap!.neighbourAccuracy > 0 && instructionMap!.neighbourAccuracy <= 1);
});

test.serial('the page holds what the JSON says, shows texts as they are, and loads nothing', async t => {
  const dataset = await drawnSet(t, 5);
  const manifest = join(dataset, 'manifest.jsonl');
  const lines = (await readFile(manifest, 'utf8')).split('\n').filter(line => line !== '');
  const prompt = `<img src=x onerror="alert('1')"> & </td>`;
  await writeFile(manifest, lines.map(line => JSON.stringify({...JSON.parse(line), prompt})).join('\n'));
  const options = await evaluationOf(t, {dataset, command: 'ipai evaluate <script>', instructionsPerTask: 5});
  const evaluation = await evaluate(options);
  t.deepEqual(JSON.parse(await readFile(join(options.folder, 'evaluation.json'), 'utf8')), evaluation);
  const page = await readFile(join(options.folder, 'report.html'), 'utf8');
  for (const {metrics} of evaluation.scores) {
    for (const {mean} of Object.values(metrics)) t.true(page.includes(mean.toFixed(4)), `${mean}`);
  }
  t.true(page.includes(evaluation.dataset.sha256));
  for (const {sha256} of evaluation.adapters) t.true(page.includes(sha256));
  t.true(page.includes('ipai evaluate &#60;script&#62;'));
  t.true(page.includes('&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62; &#38; &#60;/td&#62;'));
  t.false(/<script|onerror="|https?:\/\/(?!www\.w3\.org)/.test(page));
  const sources = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(match => match[1]!);
  t.is(sources.length, 5 * 3);
  for (const source of sources) t.true(source.startsWith('data:image/jpeg;base64,'));
});
