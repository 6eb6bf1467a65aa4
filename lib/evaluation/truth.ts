/**
 * Scores of a picture by the factors that its sample was drawn from.
 */
import type {DatasetSample} from '../datasets/dataset-sample.ts';
import type {RunOptions} from '../engine/compiled-function.ts';
import {FileError} from '../errors.ts';
import type {RgbImage} from '../images/image.ts';
import type {FactorScorer, FactorScores} from './factor-scorer.ts';
import {type SampleFactors, sampleKey} from './sample-factors.ts';

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
  const factors = known.get(sampleKey(sample));
  if (factors === undefined) {
    throw new FileError(
      `${sample.place}: expected its factors in factors.jsonl, under the key '${sampleKey(sample)}', got none. ` +
        'Take the factors.jsonl that was drawn with the set.',
    );
  }
  return scorer.score({task: sample.task, factors, picture}, options);
}
