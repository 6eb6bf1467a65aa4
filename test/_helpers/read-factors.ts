import {type FactorName, factorGroups} from '../../lib/datasets/world/factor-groups.ts';
import type {FactorLabels} from '../../lib/datasets/world/factor-labels.ts';
import type {ReadFactors} from '../../lib/evaluation/factors/read-factors.ts';

/** What a reader that makes no mistake reads of a picture with these labels; of what is not to be seen, the first class. */
export function readOf(labels: FactorLabels): ReadFactors {
  const entries = factorGroups.map(({name, classes}) => [
    name,
    {label: labels[name] ?? classes[0]!, probability: 1},
  ]);
  return Object.fromEntries(entries) as Record<FactorName, ReadFactors[FactorName]>;
}
