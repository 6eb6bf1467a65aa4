/**
 * What a builder of one task knows; `runBuild` does the rest.
 */
import type {z} from 'zod';
import type {sampleFields} from '../datasets/dataset-sample.ts';
import type {PaperTask} from '../datasets/instructions/tasks.ts';
import type {RgbImage} from '../images/image.ts';

/** A picture that a sample is made of, with the licence that its source gives it. */
export interface SourceCredit {
  readonly name: string;
  readonly license?: string | undefined;
}

export interface BuiltSample {
  readonly fields: Omit<z.infer<typeof sampleFields>, 'task'>;
  readonly target: RgbImage;
  /** The same object as `target` where they are one picture. */
  readonly condition: RgbImage;
  readonly sources: readonly SourceCredit[];
}

/** Why a draft made no sample. Reasons are counted, and so have no details. */
export interface LeftOut {
  readonly leftOut: string;
  readonly detail?: string | undefined;
}

/** A draft, and the seed of all that is random about its sample. */
export interface SeededDraft<Draft> {
  readonly draft: Draft;
  readonly seed: number;
}

export interface Builder<Draft> {
  readonly task: PaperTask;
  /** For the card: how samples are made. */
  readonly description: string;
  /** For the card: why pictures are left out. */
  readonly filters: readonly string[];
  /** All samples that the source allows, in the order in which they are made; the same in every call. */
  drafts(): Iterable<Draft>;
  /** Drafts that are made together; those of builders that paint. */
  readonly batchSize: number;
  /** One outcome for each draft, which depends on nothing but the draft and its seed. */
  make(
    batch: readonly SeededDraft<Draft>[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (BuiltSample | LeftOut)[]>;
}

export function isLeftOut(outcome: BuiltSample | LeftOut): outcome is LeftOut {
  return 'leftOut' in outcome;
}
