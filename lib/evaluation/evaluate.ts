/**
 * The paper's evaluation (Rowles et al. 2024, §4) of any adapters for one model, on a held-out set.
 */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {type Dataset, openDataset} from '../datasets/dataset.ts';
import {FileError} from '../errors.ts';
import {FaceAnalyzer} from '../faces/face-analyzer.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
import {computeDType} from '../pipelines/compute-dtype.ts';
import {amountsOf, type EvaluateOptions, type EvaluationAmounts} from './evaluate-options.ts';
import {type EvaluatedAdapter, type OpenedAdapters, openAdapters} from './evaluated-adapters.ts';
import {type Evaluation, readScores} from './evaluation.ts';
import {EvaluationClip, type EvaluationClipFolders} from './evaluation-clip.ts';
import {datasetFingerprint, fingerprint} from './fingerprint.ts';
import {type InstructionMap, mapInstructions} from './instruction-map.ts';
import {measureRewording} from './measure-rewording.ts';
import {PictureMaker} from './picture-maker.ts';
import {clipNames, type MetricName, type PictureRecord} from './picture-record.ts';
import {
  chunks,
  type PictureRequest,
  type RewordingGrid,
  rewordingGrids,
  scoreRequests,
} from './picture-requests.ts';
import {writeReport} from './report/report.ts';
import {openResultLog} from './result-log.ts';
import {readSampleFactors} from './sample-factors.ts';
import type {Scorers} from './score-pictures.ts';
import {scoreTargets} from './score-targets.ts';
import {compareScores, summarizeScores} from './summarize.ts';

const bootstrapResamples = 1000;
const perplexity = 30;

/**
 * Makes pictures, scores them, and writes the report. Ended at any time, it goes on where it was when it is called with the
 * same options, and finds the same.
 *
 * @throws FileError, WeightsError, ArgumentError where something is missing or does not fit, or the folder has results of
 *   other settings; the signal's reason on abort
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const amounts = amountsOf(options);
  const {folder} = options;
  const dataset = await openDataset(options.dataset);
  const history = (await Promise.all((options.history ?? []).map(readScores))).flat();
  await makeFolder(folder);
  const opened = await openAdapters(options.model, options.adapters);
  const {engine, textEncoder} = opened.base;
  try {
    const folders = clipFolders(options, opened);
    const faces = await loadFaces(options);
    const clip = await EvaluationClip.load(engine.device, folders, textEncoder.tokenizer);
    try {
      const {records, ...found} = await run({
        ...{options, amounts, dataset, opened, folders},
        scorers: {clip, faces},
      });
      const evaluation: Evaluation = {...found, history};
      const json = `${JSON.stringify(evaluation, undefined, 2)}\n`;
      await writeWholeFile(join(folder, 'evaluation.json'), [Buffer.from(json)]);
      await writeReport(folder, {evaluation, records, dataset, shownPerTask: amounts.shownPerTask});
      return evaluation;
    } finally {
      await Promise.all([clip.dispose(), faces?.dispose()]);
    }
  } finally {
    await opened.dispose();
  }
}

interface Run {
  readonly options: EvaluateOptions;
  readonly amounts: EvaluationAmounts;
  readonly dataset: Dataset;
  readonly opened: OpenedAdapters;
  readonly scorers: Scorers;
  readonly folders: EvaluationClipFolders;
}

type Found = Omit<Evaluation, 'history'> & {readonly records: readonly PictureRecord[]};

async function run({options, amounts, dataset, opened, scorers, folders}: Run): Promise<Found> {
  const {folder, signal, command, factorScorer} = options;
  const {samplesPerTask, picturesPerSample, seed, generation, rewording, fixedInstructions} = amounts;
  const {adapters} = opened;
  const {clip} = scorers;
  const origin = await originOf(options, dataset, opened, folders);
  const truth = factorScorer && {scorer: factorScorer, factors: await readSampleFactors(dataset.folder)};
  const maker = new PictureMaker({
    folder,
    log: await openResultLog(folder),
    generation,
    origin: [Object.values(origin.models), origin.dataset.sha256, origin.dtype, origin.device],
    scorers,
    truth,
  });
  const scored = scoreRequests(dataset, adapters, amounts);
  const grids = rewordingGrids(dataset, adapters, rewording, seed);
  const records = await makeAll(maker, scored, grids, amounts, options);

  const samples = new Map(scored.flat().map(({sampleIndex, sample}) => [sampleIndex, sample]));
  const targets = await scoreTargets(samples, {vae: opened.base.vae, scorers, truth}, {signal});

  const {dtype, device, ...sources} = origin;
  const bootstrap = {resamples: bootstrapResamples, seed};
  const unread = new Set(maker.problems.map(({place}) => place));
  const readable = grids.filter(grid => !unread.has(grid[0]![0]!.sample.place));
  const instructionMap = await mapOf(adapters, dataset, amounts, options);
  return {
    records,
    command,
    settings: {
      ...{samplesPerTask, picturesPerSample, seed, dtype, device, generation, fixedInstructions},
      bootstrapResamples,
      ...(factorScorer && {factorScorer: factorScorer.name}),
    },
    ...sources,
    clip: folders,
    adapters: adapters.map(({models: _, ...adapter}) => adapter),
    scores: summarizeScores(records, bootstrap),
    targets: summarizeScores(targets, bootstrap),
    differences: compareScores(records, adapters[0]!.label, bootstrap),
    rewording: await measureRewording(readable, {...rewording, folder, clip, bootstrap}, {signal}),
    ...(instructionMap && {instructionMap}),
    leftOut: leftOut(records, scorers),
    problems: [...dataset.problems, ...maker.problems],
  };
}

/** What all pictures are made of. */
async function originOf(
  {model, faceModels}: EvaluateOptions,
  dataset: Dataset,
  {base}: OpenedAdapters,
  clip: EvaluationClipFolders,
) {
  const {device} = base.engine;
  const models: Record<string, string> = {};
  for (const path of [
    ...[model.model, model.imageEncoder, model.instructionEncoder, model.vae, model.tokenizer],
    ...[clip.imageEncoder, clip.textEncoder, faceModels],
  ]) {
    if (path !== undefined) models[path] ??= await fingerprint(path);
  }
  return {
    models,
    dataset: {folder: dataset.folder, sha256: await datasetFingerprint(dataset)},
    dtype: computeDType(model.dtype, device),
    device: device.kind,
  };
}

/** All pictures. Returns the records of those that are scored. */
async function makeAll(
  maker: PictureMaker,
  scored: readonly (readonly PictureRequest[])[],
  grids: readonly RewordingGrid[],
  {batchSize}: EvaluationAmounts,
  {signal, onProgress}: EvaluateOptions,
): Promise<PictureRecord[]> {
  const reworded = grids.flatMap(grid => chunks(grid.flat(), batchSize));
  const total = [...scored, ...reworded].reduce((sum, batch) => sum + batch.length, 0);
  const records: PictureRecord[] = [];
  let done = 0;
  onProgress?.({done, total});
  const take = async (batch: readonly PictureRequest[], isScored: boolean) => {
    signal?.throwIfAborted();
    const taken = await maker.take(batch, isScored, {signal});
    if (isScored) records.push(...taken);
    done += batch.length;
    onProgress?.({done, total});
  };
  for (const batch of scored) await take(batch, true);
  for (const batch of reworded) await take(batch, false);
  return records;
}

/** Of the instructions as the first adapter that reads any has them; with the fixed ones where an adapter is told by them. */
function mapOf(
  adapters: readonly EvaluatedAdapter[],
  dataset: Dataset,
  {instructionsPerTask, seed, fixedInstructions}: EvaluationAmounts,
  {signal}: EvaluateOptions,
): Promise<InstructionMap | undefined> {
  const reader = adapters.find(({instructions}) => instructions !== 'none');
  const hasFixed = adapters.some(({instructions}) => instructions === 'fixed');
  return mapInstructions(
    reader?.models.adapter.instructionEncoder,
    dataset,
    {instructionsPerTask, perplexity, seed, fixedInstructions: hasFixed ? fixedInstructions : {}},
    {signal},
  );
}

function clipFolders(
  {clip, model: {imageEncoder, instructionEncoder}}: EvaluateOptions,
  {adapters}: OpenedAdapters,
): EvaluationClipFolders {
  if (clip !== undefined) return clip;
  const {imageEncoder: images, instructionEncoder: texts} = adapters[0]!.models.adapter;
  const isOfOneSpace = texts.encoder.config.projectionDim === images.config.projectionDim;
  // Adapters cannot be opened without an image encoder.
  return {imageEncoder: imageEncoder!, ...(isOfOneSpace && {textEncoder: instructionEncoder})};
}

function leftOut(
  records: readonly PictureRecord[],
  {clip, faces}: Scorers,
): Readonly<Partial<Record<MetricName, string>>> {
  const isMissing = (name: keyof PictureRecord['scores']) =>
    records.every(({scores}) => scores[name] === undefined);
  const reason = clip.readsTexts
    ? 'no sample that was evaluated has a conditionPrompt'
    : 'no text tower of the CLIP model that scores was given';
  return {
    ...Object.fromEntries(clipNames.filter(isMissing).map(name => [name, reason])),
    ...(faces &&
      isMissing('identity') && {
        identity:
          'no sample of the task face that was evaluated has a condition image with a face that is found',
      }),
  };
}

async function loadFaces({faceModels, model}: EvaluateOptions): Promise<FaceAnalyzer | undefined> {
  return faceModels === undefined ? undefined : FaceAnalyzer.load(faceModels, {device: model.device});
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, {recursive: true});
  } catch (cause) {
    throw new FileError(
      `${folder}: expected a folder to write to: ${(cause as Error).message}. Choose another.`,
      {cause},
    );
  }
}
