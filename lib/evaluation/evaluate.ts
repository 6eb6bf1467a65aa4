/**
 * The paper's evaluation (Rowles et al. 2024, §4) of any adapters for one model, on a held-out set.
 */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {type Dataset, openDataset} from '../datasets/dataset.ts';
import {FileError, invalidArgument} from '../errors.ts';
import {computeDType} from '../pipelines/compute-dtype.ts';
import type {LoadOptions} from '../pipelines/load-options.ts';
import {writeWholeFile} from '../weights/write-file.ts';
import {
  type AdapterToEvaluate,
  type EvaluatedAdapter,
  type OpenedAdapters,
  openAdapters,
} from './evaluated-adapters.ts';
import {type Evaluation, readScores} from './evaluation.ts';
import {EvaluationClip, type EvaluationClipFolders} from './evaluation-clip.ts';
import type {FactorScorer} from './factor-scorer.ts';
import {datasetFingerprint, fingerprint} from './fingerprint.ts';
import {mapInstructions} from './instruction-map.ts';
import type {GenerationSettings} from './make-pictures.ts';
import {measureRewording} from './measure-rewording.ts';
import {PictureMaker} from './picture-maker.ts';
import {type MetricName, type PictureRecord, similarityNames} from './picture-record.ts';
import {
  chunks,
  defaultFixedInstructions,
  type PictureRequest,
  type RewordingOptions,
  rewordingGrids,
  scoreRequests,
} from './picture-requests.ts';
import {writeReport} from './report/report.ts';
import {ResultLog} from './result-log.ts';
import {readSampleFactors} from './sample-factors.ts';
import {compareScores, summarizeScores} from './summarize.ts';

export interface EvaluateOptions {
  /** The base model of all adapters, and the encoders that they read. */
  readonly model: Omit<LoadOptions, 'adapter' | 'controlNets'>;
  /** The first is the one that others are compared with. */
  readonly adapters: readonly AdapterToEvaluate[];
  /** Folder of a held-out set, as training reads them. */
  readonly dataset: string;
  /** Takes `evaluation.json`, `report.html`, `results.jsonl` and the pictures; what it has of them is not made again. */
  readonly folder: string;
  /**
   * Which CLIP model scores. Default: the adapters' image encoder, with the instruction encoder where that is a text model
   * with projection.
   */
  readonly clip?: EvaluationClipFolders | undefined;
  /** The first of each task. Default 32. */
  readonly samplesPerTask?: number | undefined;
  /** Default 1. */
  readonly picturesPerSample?: number | undefined;
  /** Pictures that are made at a time. Default 4. */
  readonly batchSize?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly generation?: GenerationSettings | undefined;
  /** One for each task, for adapters that are told by one. Default: "use the style" and so on. */
  readonly fixedInstructions?: Readonly<Record<string, string>> | undefined;
  /** Default: 2 samples of each task, 4 wordings, 4 seeds; 0 samples for none. */
  readonly rewording?: RewordingOptions | undefined;
  /** Of each task, on the map of instructions. Default 100; 0 for no map. */
  readonly instructionsPerTask?: number | undefined;
  /** Samples of each task that the report shows. Default 4. */
  readonly shownPerTask?: number | undefined;
  /** `evaluation.json` of earlier evaluations, whose scores stand in the curves too. */
  readonly history?: readonly string[] | undefined;
  /** For sets that were drawn from factors. */
  readonly factorScorer?: FactorScorer | undefined;
  /** What the report says makes it again. */
  readonly command: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: EvaluationProgress) => void) | undefined;
}

export interface EvaluationProgress {
  /** Pictures that are made and scored, those of earlier processes among them. */
  readonly done: number;
  readonly total: number;
}

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
  checkCounts(options);
  const {folder, signal} = options;
  const dataset = await openDataset(options.dataset);
  const history = (await Promise.all((options.history ?? []).map(readScores))).flat();
  await makeFolder(folder);
  const opened = await openAdapters(options.model, options.adapters);
  const {base} = opened;
  try {
    const folders = clipFolders(options, opened);
    const clip = await EvaluationClip.load(base.engine.device, folders, base.textEncoder.tokenizer);
    try {
      const found = await run({options, dataset, opened, clip, folders});
      const {records, ...evaluation} = {...found, history};
      await writeWholeFile(join(folder, 'evaluation.json'), [
        Buffer.from(`${JSON.stringify(evaluation, undefined, 2)}\n`),
      ]);
      signal?.throwIfAborted();
      await writeReport(folder, {evaluation, records, dataset, shownPerTask: options.shownPerTask ?? 4});
      return evaluation;
    } finally {
      await clip.dispose();
    }
  } finally {
    await opened.dispose();
  }
}

interface Run {
  readonly options: EvaluateOptions;
  readonly dataset: Dataset;
  readonly opened: OpenedAdapters;
  readonly clip: EvaluationClip;
  readonly folders: EvaluationClipFolders;
}

type Found = Omit<Evaluation, 'history'> & {readonly records: readonly PictureRecord[]};

async function run({options, dataset, opened, clip, folders}: Run): Promise<Found> {
  const {model, folder, signal, generation = {}, seed = 0, factorScorer} = options;
  const {samplesPerTask = 32, picturesPerSample = 1, batchSize = 4} = options;
  const {rewording = {samplesPerTask: 2, wordings: 4, seeds: 4}, instructionsPerTask = 100} = options;
  const fixedInstructions = {...defaultFixedInstructions, ...options.fixedInstructions};
  const {base, adapters} = opened;
  const {device} = base.engine;
  const dtype = computeDType(model.dtype, device);
  const models = await fingerprints([
    model.model,
    ...[model.imageEncoder, model.instructionEncoder, model.vae, model.tokenizer],
    ...[folders.imageEncoder, folders.textEncoder],
  ]);
  const sha256 = await datasetFingerprint(dataset);
  const maker = new PictureMaker({
    folder,
    log: await ResultLog.open(folder),
    generation,
    origin: [Object.values(models), sha256, dtype, device.kind],
    clip,
    truth: factorScorer && {scorer: factorScorer, factors: await readSampleFactors(dataset.folder)},
  });

  const scored = scoreRequests(dataset, adapters, {
    ...{samplesPerTask, picturesPerSample, batchSize, seed, fixedInstructions},
  });
  const grids = rewordingGrids(dataset, adapters, rewording, seed);
  const reworded = grids.flatMap(grid => chunks(grid.flat(), batchSize));
  const progress = countPictures(options, [...scored, ...reworded]);
  const take = async (batch: readonly PictureRequest[], isScored: boolean) => {
    signal?.throwIfAborted();
    const records = await maker.take(batch, isScored, {signal});
    progress(batch);
    return records;
  };
  const records: PictureRecord[] = [];
  for (const batch of scored) records.push(...(await take(batch, true)));
  for (const batch of reworded) await take(batch, false);

  const unread = new Set(maker.problems.map(({place}) => place));
  const bootstrap = {resamples: bootstrapResamples, seed};
  const instructionMap = await mapInstructions(
    adapters.find(({instructions}) => instructions !== 'none')?.models.adapter.instructionEncoder,
    dataset,
    {instructionsPerTask, perplexity, seed, fixedInstructions: fixedOf(adapters, fixedInstructions)},
    {signal},
  );
  return {
    records,
    command: options.command,
    settings: {
      ...{samplesPerTask, picturesPerSample, seed, dtype, device: device.kind, generation, fixedInstructions},
      bootstrapResamples,
      ...(factorScorer && {factorScorer: factorScorer.name}),
    },
    dataset: {folder: dataset.folder, sha256},
    models,
    clip: folders,
    adapters: adapters.map(({models: _, ...adapter}) => adapter),
    scores: summarizeScores(records, bootstrap),
    differences: compareScores(records, adapters[0]!.label, bootstrap),
    rewording: await measureRewording(
      grids.filter(grid => !unread.has(grid[0]![0]!.sample.place)),
      {...rewording, folder, clip, bootstrap},
      {signal},
    ),
    ...(instructionMap && {instructionMap}),
    leftOut: leftOut(records, clip),
    problems: [...dataset.problems, ...maker.problems],
  };
}

/** The fixed instructions are shown among the others where an adapter is told by them. */
function fixedOf(
  adapters: readonly EvaluatedAdapter[],
  fixedInstructions: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return adapters.some(({instructions}) => instructions === 'fixed') ? fixedInstructions : {};
}

function countPictures(
  {onProgress}: EvaluateOptions,
  batches: readonly (readonly PictureRequest[])[],
): (batch: readonly PictureRequest[]) => void {
  const total = batches.reduce((sum, batch) => sum + batch.length, 0);
  let done = 0;
  onProgress?.({done, total});
  return batch => {
    done += batch.length;
    onProgress?.({done, total});
  };
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

async function fingerprints(paths: readonly (string | undefined)[]): Promise<Record<string, string>> {
  const prints: Record<string, string> = {};
  for (const path of paths) if (path !== undefined) prints[path] ??= await fingerprint(path);
  return prints;
}

function leftOut(
  records: readonly PictureRecord[],
  clip: EvaluationClip,
): Readonly<Partial<Record<MetricName, string>>> {
  const missing = similarityNames.filter(name => records.every(({scores}) => scores[name] === undefined));
  const reason = clip.readsTexts
    ? 'no sample that was evaluated has a conditionPrompt'
    : 'no text tower of the CLIP model that scores was given';
  return Object.fromEntries(missing.map(name => [name, reason]));
}

function checkCounts(options: EvaluateOptions): void {
  const check = (name: string, value: number | undefined, low: number) => {
    if (value === undefined || (Number.isSafeInteger(value) && value >= low)) return;
    throw invalidArgument(name, `an integer of at least ${low}`, value);
  };
  const {rewording} = options;
  check('samplesPerTask', options.samplesPerTask, 1);
  check('picturesPerSample', options.picturesPerSample, 1);
  check('batchSize', options.batchSize, 1);
  check('seed', options.seed, 0);
  check('instructionsPerTask', options.instructionsPerTask, 0);
  check('shownPerTask', options.shownPerTask, 0);
  check('rewording.samplesPerTask', rewording?.samplesPerTask, 0);
  check('rewording.wordings', rewording?.wordings, 2);
  check('rewording.seeds', rewording?.seeds, 2);
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
