import type {FactorName} from '../../datasets/world/factor-groups.ts';
import type {FactorLabels} from '../../datasets/world/factor-labels.ts';
import {type Tally, tallyOutcomes} from './outcomes.ts';
import type {ReadFactors} from './read-factors.ts';

/** A picture whose factors are known, and what was read of it. */
export interface ReadPicture {
  readonly labels: FactorLabels;
  readonly read: ReadFactors;
}

/** How often the reader was right, of the pictures that show the factor. */
export function readerAccuracy(pictures: readonly ReadPicture[]): Partial<Record<FactorName, Tally>> {
  return tallyOutcomes(
    pictures.map(({labels, read}) =>
      Object.fromEntries(
        Object.entries(labels).map(([name, label]) => [name, read[name as FactorName].label === label]),
      ),
    ),
  );
}
