/**
 * What a picture shows against what was asked for, where the truth is known: of pictures whose condition was drawn from
 * factors.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import type {SampleFactors} from './sample-factors.ts';

/** A generated picture, and what its sample asks for. */
export interface FactorScoreRequest {
  readonly task: string;
  readonly factors: SampleFactors;
  /** What was generated. */
  readonly picture: RgbImage;
}

/** Of factors by their names, whether it is so. */
export type FactorOutcomes = Readonly<Record<string, boolean>>;

/** Factors that cannot be asked about in a picture are left out. */
export interface FactorScores {
  /** Of the condition's factors that the task takes: whether the picture has them. */
  readonly taken: FactorOutcomes;
  /** Of the condition's factors that the task leaves there, where the prompt asks for others: whether the picture has them. */
  readonly leaked: FactorOutcomes;
  /** Of the factors that the prompt alone tells: whether the picture has them. */
  readonly followed: FactorOutcomes;
}

export const factorScoreNames = ['taken', 'leaked', 'followed'] as const;

/** What reads factors from generated pictures. */
export interface FactorScorer {
  /** Which reader it is, by the hash of its weights for instance: scores of different ones are never mixed. */
  readonly name: string;
  /** Reads one picture. @throws the signal's reason on abort */
  score(request: FactorScoreRequest, options: Pick<RunOptions, 'signal'>): Promise<FactorScores>;
}
