/**
 * Draws a person's head and shoulders in units of their own: the middle of the face is (0, 0), its radius about 50.
 */
import {mix} from '../color-math.ts';
import {placeShape} from '../place-shape.ts';
import {area, ellipse, rect, type Shape} from '../shapes.ts';
import {eyeShapes, glassesShapes, mouthShapes, noseShape} from './features.ts';
import {beardShapes, hairBehind, hairInFront} from './hair.ts';
import {type Expression, hairColors, type Person, skinTones} from './person.ts';

/** Below this the sheet ends, however the portrait is framed. */
const bottom = 260;

/** Outline, half the width, and where the chin is. */
const faces: Readonly<
  Record<Person['face'], {readonly d: string; readonly side: number; readonly chin: number}>
> = {
  round: {side: 50, chin: 54, d: ellipse(0, 4, 50)},
  oval: {
    side: 43,
    chin: 61,
    d: 'M0 -50C28 -50 43 -30 43 0C43 34 20 60 0 60C-20 60 -43 34 -43 0C-43 -30 -28 -50 0 -50Z',
  },
  square: {
    side: 47,
    chin: 57,
    d: 'M-26 -50H26Q47 -48 47 -20V32Q46 54 24 56H-24Q-46 54 -47 32V-20Q-47 -48 -26 -50Z',
  },
  long: {
    side: 39,
    chin: 73,
    d: 'M0 -52C26 -52 39 -36 39 -8V28C39 56 20 72 0 72C-20 72 -39 56 -39 28V-8C-39 -36 -26 -52 0 -52Z',
  },
};

/** @param turn where the face looks, from -1 (left) to 1 (right) */
export function portraitShapes(person: Person, expression: Expression, turn: number, shirt: string): Shape[] {
  const skin = skinTones[person.skin];
  const hair = hairColors[person.hairColor];
  const {d, side, chin} = faces[person.face];
  const features = [
    ...mouthShapes(expression),
    ...eyeShapes(person.eyes, expression, turn, mix(hair, '#000000', 0.3)),
    noseShape(person.nose, turn, mix(skin, '#000000', 0.3)),
    ...glassesShapes(person.glasses),
  ];
  // What lies on the face slides over it as it turns.
  const slide = (shape: Shape) => placeShape(shape, 1, 9 * turn, 0);
  const beard = beardShapes(person.beard, side, chin, hair);
  return [
    ...hairBehind(person.hair, hair),
    area(mix(skin, '#000000', 0.16), rect(-17, 30, 34, 42)),
    area(shirt, `M-96 ${bottom}V122Q-92 82 -46 72L-17 64Q0 80 17 64L46 72Q92 82 96 122V${bottom}Z`),
    area(mix(skin, '#000000', 0.1), ellipse(-side - 1, 4, 9, 12), ellipse(side + 1, 4, 9, 12)),
    area(skin, d),
    // A full beard covers the jaw, which stays.
    ...(person.beard === 'full' ? beard : beard.map(slide)),
    ...features.map((shape): Shape => ({...slide(shape), fine: true})),
    ...hairInFront(person.hair, hair),
  ];
}
