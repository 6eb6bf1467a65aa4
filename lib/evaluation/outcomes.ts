/**
 * Answers of yes or no about factors, and what they come to.
 */

import type {FactorOutcomes} from './factor-scorer.ts';

export interface FactorTally {
  /** Pictures of which it is so. */
  readonly hits: number;
  /** Pictures of which it was asked. */
  readonly count: number;
}

/** The share of factors for which it is so, or undefined where none is asked about. */
export function shareOf(outcomes: FactorOutcomes): number | undefined {
  const answers = Object.values(outcomes);
  return answers.length === 0 ? undefined : answers.filter(Boolean).length / answers.length;
}

/** Of each factor that any of `all` asks about. */
export function tallyOutcomes(all: readonly FactorOutcomes[]): Record<string, FactorTally> {
  const tallies: Record<string, FactorTally> = {};
  for (const [name, isSo] of all.flatMap(outcomes => Object.entries(outcomes))) {
    const {hits, count} = tallies[name] ?? {hits: 0, count: 0};
    tallies[name] = {hits: hits + Number(isSo), count: count + 1};
  }
  return tallies;
}
