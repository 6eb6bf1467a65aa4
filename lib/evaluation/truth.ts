/**
 * Scores of a picture by the factors that its sample was drawn from.
 */
import type {DatasetSample} from '../datasets/dataset-sample.ts';
import type {RunOptions} from '../engine/compiled-function.ts';
import type {RgbImage} from '../images/image.ts';
import type {FactorScorer, FactorScores} from './factor-scorer.ts';
import {factorsOf, type SampleFactors} from './sample-factors.ts';

export interface Truth {
  readonly scorer: FactorScorer;
  /** By the samples' keys. */
  readonly factors: ReadonlyMap<string, SampleFactors>;
}

/** @throws FileError where the sample's factors are not known */
export async function truthOf(
  {scorer, factors: known}: Truth,
  sample: DatasetSample,
  picture: RgbImage,
  options: Pick<RunOptions, 'signal'>,
): Promise<FactorScores> {
  const factors = factorsOf(sample, known);
  return scorer.score({task: sample.task, factors, picture}, options);
}
