/**
 * What an evaluation takes.
 */
import {invalidArgument} from '../errors.ts';
import type {LoadOptions} from '../pipelines/load-options.ts';
import type {AdapterToEvaluate} from './evaluated-adapters.ts';
import type {EvaluationClipFolders} from './evaluation-clip.ts';
import type {FactorScorer} from './factor-scorer.ts';
import type {GenerationSettings} from './make-pictures.ts';
import {defaultFixedInstructions, type RewordingOptions} from './picture-requests.ts';

/** Which adapters are compared, on what, and how thoroughly. */
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
  /** Folder of face-api's weights, for scores of whose face pictures of the task `face` show; see `FaceAnalyzer`. */
  readonly faceModels?: string | undefined;
  /** For sets that were drawn from factors. */
  readonly factorScorer?: FactorScorer | undefined;
  /** What the report says makes it again. */
  readonly command: string;
  readonly signal?: AbortSignal | undefined;
  /** Called once at the beginning, and after each picture. */
  readonly onProgress?: ((event: EvaluationProgress) => void) | undefined;
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** Pictures that are made and scored, those of earlier processes among them. */
  readonly done: number;
  readonly total: number;
}

/** What has defaults, with them. */
export type EvaluationAmounts = ReturnType<typeof amountsOf>;

/** @throws ArgumentError for amounts that make no sense */
export function amountsOf(options: EvaluateOptions) {
  checkCounts(options);
  const {samplesPerTask = 32, picturesPerSample = 1, batchSize = 4, seed = 0, generation = {}} = options;
  const {instructionsPerTask = 100, shownPerTask = 4} = options;
  const {rewording = {samplesPerTask: 2, wordings: 4, seeds: 4}} = options;
  const fixedInstructions = {...defaultFixedInstructions, ...options.fixedInstructions};
  return {
    ...{samplesPerTask, picturesPerSample, batchSize, seed, generation, rewording},
    ...{instructionsPerTask, shownPerTask, fixedInstructions},
  };
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
