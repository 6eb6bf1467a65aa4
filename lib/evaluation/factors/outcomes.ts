/**
 * Answers of yes or no about factors, and what they come to.
 */
import type {FactorName} from '../../datasets/world/factor-groups.ts';

/** Of the factors that are asked about, whether it is so. */
export type Outcomes = Readonly<Partial<Record<FactorName, boolean>>>;

export interface Tally {
  /** How often it was so. */
  readonly hits: number;
  /** How often it was asked. */
  readonly count: number;
}

/** The share of factors for which it is so, or undefined where none is asked about. */
export function shareOf(outcomes: Outcomes): number | undefined {
  const answers = Object.values(outcomes);
  return answers.length === 0 ? undefined : answers.filter(Boolean).length / answers.length;
}

/** Of each factor that any of `all` asks about. */
export function tallyOutcomes(all: readonly Outcomes[]): Partial<Record<FactorName, Tally>> {
  const tallies: Partial<Record<FactorName, Tally>> = {};
  for (const outcomes of all) {
    for (const [name, isSo] of Object.entries(outcomes) as [FactorName, boolean][]) {
      const {hits, count} = tallies[name] ?? {hits: 0, count: 0};
      tallies[name] = {hits: hits + Number(isSo), count: count + 1};
    }
  }
  return tallies;
}
