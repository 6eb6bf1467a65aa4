import {join} from 'node:path';
import {Command} from '@commander-js/extra-typings';
import {ArgumentError} from '../../errors.ts';
import {evaluate} from '../../evaluation/evaluate.ts';
import {type AdapterToEvaluate, adaptersOfRun} from '../../evaluation/evaluated-adapters.ts';
import type {Evaluation} from '../../evaluation/evaluation.ts';
import {FactorReaderScorer} from '../../evaluation/factors/factor-reader-scorer.ts';
import {metricTitles, tableMetrics} from '../../evaluation/report/names.ts';
import {table} from '../../inspect/table.ts';
import {commandLine} from '../command-line.ts';
import {interruptible} from '../interrupt.ts';
import {addDenoisingOptions, denoisingOptions} from '../options/denoising-options.ts';
import {addRunOptions, useThreads} from '../options/model-options.ts';
import {collect, defined, type Pair, parseNumber, splitPair} from '../options/parse-values.ts';
import {showPictures} from '../picture-progress.ts';

export function evaluateCommand() {
  return evaluationOptions().action(flags => interruptible(signal => run(flags, signal)));
}

function evaluationOptions() {
  const command = new Command('evaluate')
    .description('make pictures of a held-out set with adapters, score them as the paper does, and report')
    .requiredOption('--model <path>', 'diffusers folder, or single-file Stable Diffusion 1.5 checkpoint')
    .option(
      '--adapter <label=file>',
      'adapter to compare, repeatable; label:task,task=file takes it for these tasks alone. The first is the reference',
      collectAdapters,
    )
    .option('--run <label=folder>', 'all checkpoints of a training run, for curves; repeatable', collectRuns)
    .option('--fixed <label>', 'adapter that is told by one instruction for each task; repeatable', collect)
    .option(
      '--fixed-instruction <task=text>',
      'that instruction; repeatable (default: "use the style" and so on)',
      collectTexts,
    )
    .requiredOption('--image-encoder <folder>', 'CLIP vision model with projection, which adapters read')
    .option('--instruction-encoder <folder>', "CLIP text model for instructions (default: the model's own)")
    .option('--vae <path>', "VAE in place of the model's own")
    .option('--tokenizer <folder>', 'folder with vocab.json and merges.txt')
    .option('--adapter-heads <n>', "attention heads of the adapters' resamplers", parseNumber)
    .option('--clip-image-encoder <folder>', 'CLIP vision model that scores (default: the adapters’ own)')
    .option(
      '--clip-text-encoder <folder>',
      'text model with projection of the same CLIP, for scores with texts (default: the instruction encoder if it is one)',
    )
    .requiredOption('--dataset <folder>', 'held-out set, as for training')
    .requiredOption('-o, --output <folder>', 'report, results and pictures; what is there is not made again')
    .option('--samples-per-task <n>', 'default: 32', parseNumber)
    .option('--pictures-per-sample <n>', 'default: 1', parseNumber)
    .option('--batch-size <n>', 'pictures made at a time (default: 4)', parseNumber)
    .option('--seed <n>', 'of noise, instructions and intervals (default: 0)', parseNumber)
    .option('--negative-prompt <text>', 'what to keep away from')
    .option(
      '--rewording-samples <n>',
      'of each task, for rewording against noise; 0 for none (default: 2)',
      parseNumber,
    )
    .option('--rewordings <n>', 'of each of them (default: 4)', parseNumber)
    .option('--rewording-seeds <n>', 'for each wording (default: 4)', parseNumber)
    .option(
      '--instructions-per-task <n>',
      'on the map of instructions; 0 for none (default: 100)',
      parseNumber,
    )
    .option('--shown-per-task <n>', 'samples in the report (default: 4)', parseNumber)
    .option('--history <file>', 'evaluation.json of an earlier evaluation, for curves; repeatable', collect)
    .option(
      '--face-models <folder>',
      "face-api's weights (@vladmandic/face-api/model): whose face pictures of the task face show",
    )
    .option('--factor-reader <folder>', 'trained reader, for drawn sets: what was taken, leaked and followed')
    .option('--json', 'print one JSON object at the end');
  return addRunOptions(addDenoisingOptions(command));
}

type Flags = ReturnType<ReturnType<typeof evaluationOptions>['opts']>;

async function run(flags: Flags, signal: AbortSignal): Promise<void> {
  useThreads(flags);
  const {output: folder, clipImageEncoder, clipTextEncoder, imageEncoder, instructionEncoder} = flags;
  const {model, vae, tokenizer, adapterHeads, dtype, device} = flags;
  const factorScorer =
    flags.factorReader === undefined ? undefined : await FactorReaderScorer.load(flags.factorReader, device);
  const progress = showPictures();
  let [done, total] = [0, 0];
  try {
    const evaluation = await evaluate({
      model: {
        model,
        imageEncoder,
        ...defined({instructionEncoder, vae, tokenizer, adapterHeads, dtype, device}),
      },
      adapters: await adaptersOf(flags),
      dataset: flags.dataset,
      folder,
      ...((clipImageEncoder !== undefined || clipTextEncoder !== undefined) && {
        clip: {imageEncoder: clipImageEncoder ?? imageEncoder, textEncoder: clipTextEncoder},
      }),
      ...countsOf(flags),
      generation: {...denoisingOptions(flags), ...defined({negativePrompt: flags.negativePrompt})},
      fixedInstructions: Object.fromEntries(flags.fixedInstruction ?? []),
      history: flags.history,
      faceModels: flags.faceModels,
      factorScorer,
      command: commandLine(),
      signal,
      onProgress: event => {
        ({done, total} = event);
        progress.onProgress(event);
      },
    });
    progress.stop();
    report(flags, evaluation);
  } catch (error) {
    progress.stop();
    if (signal.aborted && total > 0) {
      process.stderr.write(`kept: ${done} of ${total} pictures in ${folder}; the same command goes on\n`);
    }
    throw error;
  } finally {
    await factorScorer?.dispose();
  }
}

async function adaptersOf({adapter = [], run: runs = [], fixed = []}: Flags): Promise<AdapterToEvaluate[]> {
  const checkpoints = await Promise.all(runs.map(([label, folder]) => adaptersOfRun(label, folder)));
  const all = [...adapter, ...checkpoints.flat()];
  const unknown = fixed.find(label => !all.some(one => one.label === label));
  if (unknown !== undefined) {
    throw new ArgumentError(
      `fixed: expected labels of adapters, ${all.map(({label}) => label).join(', ')}; got '${unknown}'.`,
    );
  }
  return all.map(one => (fixed.includes(one.label) ? {...one, instructions: 'fixed'} : one));
}

function countsOf(flags: Flags) {
  const {samplesPerTask, picturesPerSample, batchSize, seed, instructionsPerTask, shownPerTask} = flags;
  const {rewordingSamples = 2, rewordings = 4, rewordingSeeds = 4} = flags;
  return {
    ...{samplesPerTask, picturesPerSample, batchSize, seed, instructionsPerTask, shownPerTask},
    rewording: {samplesPerTask: rewordingSamples, wordings: rewordings, seeds: rewordingSeeds},
  };
}

function report({json, output}: Flags, evaluation: Evaluation): void {
  for (const {place, reason} of evaluation.problems) {
    process.stderr.write(`warning: ${place}: ${reason}\n`);
  }
  const page = join(output, 'report.html');
  if (json) {
    const {instructionMap, history, ...found} = evaluation;
    process.stdout.write(`${JSON.stringify({report: page, ...found})}\n`);
    return;
  }
  const rows = evaluation.scores.flatMap(({adapter, step, task, metrics}) =>
    [...tableMetrics(task), ...(['taken', 'leaked', 'followed'] as const)].flatMap(name => {
      const value = metrics[name];
      if (value === undefined) return [];
      const numbers = [value.mean, value.low, value.high].map(number => number.toFixed(4));
      return [[adapter, `${step ?? ''}`, task, metricTitles[name], ...numbers]];
    }),
  );
  process.stdout.write(
    `${table(['adapter', 'step', 'task', 'score', 'mean', 'from', 'to'], rows)}\n${page}\n`,
  );
}

function collectAdapters(text: string, earlier: AdapterToEvaluate[] | undefined): AdapterToEvaluate[] {
  const [name, file] = splitPair(text, 'label=file');
  const [label, tasks] = name.split(':') as [string, string?];
  return [...(earlier ?? []), {label, file, ...(tasks !== undefined && {tasks: tasks.split(',')})}];
}

function collectRuns(text: string, earlier: Pair[] | undefined): Pair[] {
  return [...(earlier ?? []), splitPair(text, 'label=folder')];
}

function collectTexts(text: string, earlier: Pair[] | undefined): Pair[] {
  return [...(earlier ?? []), splitPair(text, 'task=text')];
}
