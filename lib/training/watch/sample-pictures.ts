/**
 * The pictures of a sample.
 */
import {readDatasetImage} from '../../datasets/dataset-image.ts';
import type {DatasetProblem, DatasetSample} from '../../datasets/dataset-sample.ts';
import {FileError} from '../../errors.ts';
import type {RgbImage} from '../../images/image.ts';

export interface SamplePictures {
  readonly target: RgbImage;
  readonly condition: RgbImage;
}

/** Both pictures; undefined where one cannot be read, which is added to the problems, by its place. */
export async function readPictures(
  {target, condition, place}: DatasetSample,
  problems: Map<string, DatasetProblem>,
): Promise<SamplePictures | undefined> {
  try {
    return {target: await readDatasetImage(target), condition: await readDatasetImage(condition)};
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    problems.set(place, {place, reason: error.message});
    return undefined;
  }
}

/** Of a set of which nothing can be read. */
export function nothingReadable(problems: ReadonlyMap<string, DatasetProblem>): FileError {
  const [{place, reason}] = [...problems.values()] as [DatasetProblem];
  return new FileError(`${place}: ${reason} And no other sample of the validation set can be read.`);
}
