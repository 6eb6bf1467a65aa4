/**
 * Factors by chance. What is given stays; all else is drawn.
 */
import {backgroundNames} from './backgrounds.ts';
import type {Choices} from './choices.ts';
import type {Factors, Portrait, Scene, StyleChoice} from './factors.ts';
import {type Layout, layoutNames} from './layouts.ts';
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
  type Person,
  skinTones,
} from './portrait/person.ts';
import {styleNames, styleOf} from './styles.ts';

export function drawScene(choices: Choices, given: Partial<Scene> = {}): Scene {
  return {
    type: 'scene',
    object: {kind: choices.pick(objectKinds), color: choices.pick(objectColors)},
    layout: drawLayout(choices),
    background: choices.pick(backgroundNames),
    style: drawStyle(choices),
    ...given,
  };
}

export function drawPortrait(choices: Choices, given: Partial<Portrait> = {}): Portrait {
  return {
    type: 'portrait',
    person: drawPerson(choices),
    expression: choices.pick(expressions),
    pose: {
      turn: choices.between(-1, 1),
      tilt: choices.between(-9, 9),
      zoom: choices.between(0.85, 1.1),
      shift: choices.between(-0.1, 0.1),
    },
    shirt: choices.pick(objectColors),
    background: choices.pick(backgroundNames),
    light: choices.between(0, 1),
    style: drawStyle(choices),
    ...given,
  };
}

/** A scene, or, once in four times, a portrait. */
export function drawFactors(choices: Choices): Factors {
  return choices.chance(0.25) ? drawPortrait(choices) : drawScene(choices);
}

/** Draws until the picture is acceptable, which must not be a rare event. */
export function drawUntil<T>(draw: () => T, accepts: (drawn: T) => boolean): T {
  let drawn = draw();
  while (!accepts(drawn)) drawn = draw();
  return drawn;
}

function drawLayout(choices: Choices): Layout {
  return {
    name: choices.pick(layoutNames),
    horizon: choices.between(0.44, 0.62),
    scale: choices.between(0.88, 1.15),
    shift: choices.between(-0.04, 0.04),
    light: choices.between(0, 1),
  };
}

function drawStyle(choices: Choices): StyleChoice {
  const name = choices.pick(styleNames);
  return {name, palette: choices.below(styleOf(name).palettes.length)};
}

function drawPerson(choices: Choices): Person {
  return {
    skin: choices.pickName(skinTones),
    hair: choices.pick(hairForms),
    hairColor: choices.pickName(hairColors),
    face: choices.pick(faceShapes),
    eyes: choices.pickName(eyeColors),
    nose: choices.pick(noses),
    glasses: choices.pick(glassesForms),
    beard: choices.chance(0.55) ? 'none' : choices.pick(beards),
  };
}
