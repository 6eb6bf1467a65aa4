/**
 * Factors as classifications of pictures: groups of classes, and where each group stands among the reader's logits.
 */
import {backgroundNames} from './backgrounds.ts';
import type {Factors} from './factors.ts';
import {layoutNames} from './layouts.ts';
import {objectColors, objectKinds} from './objects.ts';
import {
  beards,
  expressions,
  eyeColors,
  faceShapes,
  glassesForms,
  hairColors,
  hairForms,
  noses,
  skinTones,
} from './portrait/person.ts';
import {styleNames} from './styles.ts';

type PictureType = Factors['type'];
type ClassTable = Readonly<Record<string, readonly string[]>>;

const ofAll = {
  type: ['scene', 'portrait'],
  style: styleNames,
  background: backgroundNames,
} satisfies ClassTable;

const ofScenes = {
  objectKind: objectKinds,
  objectColor: objectColors,
  layout: layoutNames,
} satisfies ClassTable;

const ofPortraits = {
  hair: hairForms,
  hairColor: Object.keys(hairColors),
  skin: Object.keys(skinTones),
  face: faceShapes,
  eyes: Object.keys(eyeColors),
  nose: noses,
  glasses: glassesForms,
  beard: beards,
  expression: expressions,
  shirt: objectColors,
} satisfies ClassTable;

export type FactorName = keyof typeof ofAll | keyof typeof ofScenes | keyof typeof ofPortraits;

/** Classes of which a picture shows one at most. */
export interface FactorGroup {
  readonly name: FactorName;
  readonly classes: readonly string[];
  /** The pictures that can show it, where not all can. */
  readonly pictureType: PictureType | undefined;
  /** Place of the first class among the classes of all groups. */
  readonly offset: number;
}

/** In the order of the reader's logits. */
export const factorGroups: readonly FactorGroup[] = inARow([
  [undefined, ofAll],
  ['scene', ofScenes],
  ['portrait', ofPortraits],
]);

/** The reader's labels: every class of every group, as `group/class`. */
export const factorClassLabels: readonly string[] = factorGroups.flatMap(({name, classes}) =>
  classes.map(label => `${name}/${label}`),
);

function inARow(tables: readonly (readonly [PictureType | undefined, ClassTable])[]): FactorGroup[] {
  let offset = 0;
  return tables.flatMap(([pictureType, table]) =>
    Object.entries(table).map(([name, classes]) => {
      const group = {name: name as FactorName, classes, pictureType, offset};
      offset += classes.length;
      return group;
    }),
  );
}
