/**
 * What can be seen of a picture's factors, and the reader's training targets for it.
 */
import {type FactorName, factorClassLabels, factorGroups} from './factor-groups.ts';
import type {Factors, Portrait, Scene} from './factors.ts';
import {styleOf} from './styles.ts';

/** Classes of the factors that a picture shows, by their groups. */
export type FactorLabels = Readonly<Partial<Record<FactorName, string>>>;

/** Colours of things only where the picture's style shows them, the colour of hair only where there is some. */
export function labelsOf(factors: Factors): FactorLabels {
  const {type, style, background} = factors;
  const {showsColor} = styleOf(style.name);
  const ofFigure =
    factors.type === 'scene' ? sceneLabels(factors, showsColor) : portraitLabels(factors, showsColor);
  return {type, style: style.name, background, ...ofFigure};
}

/** A row of `factorLoss`'s targets: 1 for the class of each label. Groups without a label do not count. */
export function factorTargets(labels: FactorLabels): Float32Array {
  const targets = new Float32Array(factorClassLabels.length);
  for (const {name, classes, offset} of factorGroups) {
    const label = labels[name];
    if (label !== undefined) targets[offset + classes.indexOf(label)] = 1;
  }
  return targets;
}

function sceneLabels({object, layout}: Scene, showsColor: boolean): FactorLabels {
  return {objectKind: object.kind, layout: layout.name, ...(showsColor && {objectColor: object.color})};
}

function portraitLabels({person, expression, shirt}: Portrait, showsColor: boolean): FactorLabels {
  const {hair, hairColor, skin, face, eyes, nose, glasses, beard} = person;
  const hasHair = hair !== 'bald' || beard !== 'none';
  return {
    ...{hair, face, nose, glasses, beard, expression},
    ...(showsColor && {skin, eyes, shirt, ...(hasHair && {hairColor})}),
  };
}
