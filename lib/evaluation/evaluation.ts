/**
 * What an evaluation found: `evaluation.json`.
 */
import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import type {DatasetProblem} from '../datasets/dataset-sample.ts';
import {FileError} from '../errors.ts';
import type {Interval} from './confidence.ts';
import type {EvaluatedAdapter} from './evaluated-adapters.ts';
import type {InstructionMap} from './instruction-map.ts';
import type {GenerationSettings} from './make-pictures.ts';
import {type MetricName, metricNames} from './picture-record.ts';
import type {RewordingOptions} from './picture-requests.ts';
import type {ScoreDifference, TaskScores} from './summarize.ts';

/** All that an evaluation found: what `evaluation.json` and the report hold. */
export interface Evaluation {
  /** Makes these results again. */
  readonly command: string;
  readonly settings: {
    readonly samplesPerTask: number;
    readonly picturesPerSample: number;
    /** A picture's own is this plus the sample's place in the set times `picturesPerSample`, plus the picture's number. */
    readonly seed: number;
    readonly dtype: string;
    readonly device: string;
    readonly generation: GenerationSettings;
    readonly fixedInstructions: Readonly<Record<string, string>>;
    readonly bootstrapResamples: number;
    readonly factorScorer?: string | undefined;
  };
  readonly dataset: {readonly folder: string; readonly sha256: string};
  /** SHA-256 of the base model, of all encoders and of what scores faces, by their paths. */
  readonly models: Readonly<Record<string, string>>;
  /** Which CLIP model scored. */
  readonly clip: {readonly imageEncoder: string; readonly textEncoder?: string | undefined};
  readonly adapters: readonly Omit<EvaluatedAdapter, 'models'>[];
  readonly scores: readonly TaskScores[];
  /** Of the held-out targets themselves, through the autoencoder. */
  readonly targets: readonly TaskScores[];
  readonly differences: readonly ScoreDifference[];
  readonly rewording: readonly RewordingEffect[];
  readonly instructionMap?: InstructionMap | undefined;
  /** Scores of earlier evaluations, for curves. */
  readonly history: readonly TaskScores[];
  /** Why metrics are missing. */
  readonly leftOut: Readonly<Partial<Record<MetricName, string>>>;
  /** Samples that could not be read. */
  readonly problems: readonly DatasetProblem[];
}

/** Of one adapter. */
export interface RewordingEffect extends RewordingOptions {
  readonly adapter: string;
  /** Condition images that were used. */
  readonly conditions: number;
  /** Mean distance between pictures that differ in the instruction's wording alone. */
  readonly wordingDistance: number;
  /** Mean distance between pictures that differ in the noise alone. */
  readonly noiseDistance: number;
  /** Of the two. */
  readonly ratio: Interval;
}

const interval = z.object({mean: z.number(), low: z.number(), high: z.number()});

const tallies = z.record(z.string(), z.object({hits: z.int(), count: z.int()}));

const earlier = z.object({
  scores: z.array(
    z.object({
      adapter: z.string(),
      step: z.int().optional(),
      task: z.string(),
      samples: z.int(),
      pictures: z.int(),
      metrics: z.partialRecord(z.enum(metricNames), interval),
      factors: z.object({taken: tallies, leaked: tallies, followed: tallies}).optional(),
    }),
  ),
});

/**
 * The scores in an `evaluation.json`.
 *
 * @throws FileError where it is none
 */
export async function readScores(path: string): Promise<TaskScores[]> {
  try {
    return earlier.parse(JSON.parse(await readFile(path, 'utf8'))).scores;
  } catch (cause) {
    throw new FileError(
      `${path}: expected the evaluation.json of an earlier evaluation: ${(cause as Error).message}.`,
      {cause},
    );
  }
}
