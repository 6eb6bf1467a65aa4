/**
 * What a picture shows against what was asked for, where the truth is known: of pictures whose condition was drawn from
 * factors.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import type {SampleFactors} from './sample-factors.ts';

export interface FactorScoreRequest {
  readonly task: string;
  readonly factors: SampleFactors;
  /** What was generated. */
  readonly picture: RgbImage;
}

/** Shares from 0 to 1; what cannot be said of a task is left out. */
export interface FactorScores {
  /** Of the condition's factors that the task takes: those that the picture shows. */
  readonly taken?: number | undefined;
  /** Of the condition's factors that the task does not take: those that the picture shows, though the prompt has others. */
  readonly leaked?: number | undefined;
  /** Of the factors that the prompt names: those that the picture shows. */
  readonly followed?: number | undefined;
}

export const factorScoreNames = ['taken', 'leaked', 'followed'] as const;

export interface FactorScorer {
  /** Which reader it is, by the hash of its weights for instance: scores of different ones are never mixed. */
  readonly name: string;
  score(request: FactorScoreRequest, options: Pick<RunOptions, 'signal'>): Promise<FactorScores>;
}
