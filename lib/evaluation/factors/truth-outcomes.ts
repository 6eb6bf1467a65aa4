/**
 * What a generated picture took from its condition, by the truth of drawn pictures: the task says what it was to take, and
 * factors say whether it did, what came along unasked, and whether the prompt was followed in all else.
 */
import {type FactorName, factorGroups} from '../../datasets/world/factor-groups.ts';
import {type FactorLabels, labelsOf} from '../../datasets/world/factor-labels.ts';
import type {Factors} from '../../datasets/world/factors.ts';
import type {WorldTask} from '../../datasets/world/tasks.ts';
import type {FactorOutcomes, FactorScores} from '../factor-scorer.ts';
import {type ReadFactors, shows} from './read-factors.ts';

/** A generated picture: what it was made of, and what was read of it. */
export interface GeneratedSample {
  readonly task: WorldTask;
  readonly condition: Factors;
  /** What the prompt tells of. */
  readonly target: Factors;
  readonly read: ReadFactors;
}

interface TaskFactors {
  readonly asked: readonly FactorName[];
  /** Of the condition's other factors, those that come along most easily. */
  readonly unasked: readonly FactorName[];
}

const factorsOfTask: Readonly<Record<WorldTask, TaskFactors>> = {
  replication: {asked: factorGroups.map(({name}) => name), unasked: []},
  style: {asked: ['style'], unasked: ['type', 'objectKind']},
  object: {asked: ['objectKind', 'objectColor'], unasked: ['style']},
  composition: {asked: ['layout'], unasked: ['objectKind', 'style']},
  face: {
    asked: ['hair', 'hairColor', 'skin', 'face', 'eyes', 'nose', 'glasses', 'beard'],
    unasked: ['style', 'background', 'expression'],
  },
};

/** Factors asked of the condition count where both it and a picture in the prompt's style show them. */
export function truthOutcomes({task, condition, target, read}: GeneratedSample): FactorScores {
  const {asked, unasked} = factorsOfTask[task];
  const [given, wanted] = [labelsOf(condition), labelsOf(target)];
  const outcomes = (labels: FactorLabels, names: readonly FactorName[]): FactorOutcomes =>
    Object.fromEntries(names.map(name => [name, shows(read, name, labels[name]!)]));
  return {
    taken: outcomes(
      given,
      asked.filter(name => given[name] !== undefined && given[name] === wanted[name]),
    ),
    leaked: outcomes(
      given,
      unasked.filter(name => given[name] !== undefined && given[name] !== wanted[name]),
    ),
    followed: outcomes(
      wanted,
      toldFactors(wanted).filter(name => !asked.includes(name)),
    ),
  };
}

/**
 * What every caption tells that leaves nothing out. Where things stand is told in most captions only, and so does not
 * count.
 */
function toldFactors(labels: FactorLabels): FactorName[] {
  const told: FactorName[] = ['style', 'background', 'objectKind', 'objectColor', 'expression', 'hair'];
  if (labels.hair !== 'bald') told.push('hairColor');
  if (labels.glasses !== 'none') told.push('glasses');
  if (labels.beard !== 'none') told.push('beard');
  return told.filter(name => labels[name] !== undefined);
}
