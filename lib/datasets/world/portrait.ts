/**
 * Draws a person's head and shoulders in units of their own: the middle of the face is (0, 0), its radius about 50.
 */
import {mix} from './color-math.ts';
import {type Expression, eyeColors, hairColors, type Person, skinTones} from './person.ts';
import {area, ellipse, line, n, polygon, rect, type Shape} from './shapes.ts';

/** Below this the sheet ends, however the portrait is framed. */
const bottom = 260;

const lips = '#a8323e';
const dark = '#2a1b16';

/** @param turn where the face looks, from -1 (left) to 1 (right) */
export function portraitShapes(person: Person, expression: Expression, turn: number, shirt: string): Shape[] {
  const skin = skinTones[person.skin];
  const hair = hairColors[person.hairColor];
  // Features slide over the face as it turns.
  const x = 9 * turn;
  return [
    ...hairBehind(person, hair),
    area(mix(skin, '#000000', 0.16), rect(-17, 30, 34, 42)),
    area(shirt, `M-96 ${bottom}V122Q-92 82 -46 72L-17 64Q0 80 17 64L46 72Q92 82 96 122V${bottom}Z`),
    area(
      mix(skin, '#000000', 0.1),
      ellipse(-halfWidth(person) - 1, 4, 9, 12),
      ellipse(halfWidth(person) + 1, 4, 9, 12),
    ),
    area(skin, faceOutline(person)),
    ...beardShapes(person, hair, x),
    ...[
      ...mouthShapes(expression, x),
      ...eyeShapes(person, expression, x, mix(hair, '#000000', 0.3)),
      ...noseShapes(person, mix(skin, '#000000', 0.3), x, turn),
      ...glassesShapes(person, x),
    ].map((shape): Shape => ({...shape, fine: true})),
    ...hairInFront(person, hair),
  ];
}

function halfWidth({face}: Person): number {
  return {round: 50, oval: 43, square: 47, long: 39}[face];
}

function faceOutline({face}: Person): string {
  switch (face) {
    case 'round':
      return ellipse(0, 4, 50, 50);
    case 'oval':
      return 'M0 -50C28 -50 43 -30 43 0C43 34 20 60 0 60C-20 60 -43 34 -43 0C-43 -30 -28 -50 0 -50Z';
    case 'square':
      return 'M-26 -50H26Q47 -48 47 -20V32Q46 54 24 56H-24Q-46 54 -47 32V-20Q-47 -48 -26 -50Z';
    case 'long':
      return 'M0 -52C26 -52 39 -36 39 -8V28C39 56 20 72 0 72C-20 72 -39 56 -39 28V-8C-39 -36 -26 -52 0 -52Z';
  }
}

function hairBehind({hair}: Person, color: string): Shape[] {
  switch (hair) {
    case 'long':
      return [area(color, 'M-58 0C-66 -50 -40 -72 0 -72C40 -72 66 -50 58 0Q56 60 72 104H-72Q-56 60 -58 0Z')];
    case 'curly':
      return [
        area(
          color,
          ...[
            [-48, 20],
            [-60, -6],
            [-52, -36],
            [-28, -58],
            [0, -64],
            [28, -58],
            [52, -36],
            [60, -6],
            [48, 20],
          ].map(([x, y]) => ellipse(x!, y!, 24)),
        ),
      ];
    case 'bun':
      return [area(color, ellipse(0, -72, 22, 20))];
    case 'bob':
      return [
        area(color, 'M-60 40C-70 -44 -44 -70 0 -70C44 -70 70 -44 60 40Q54 48 34 44H-34Q-54 48 -60 40Z'),
      ];
    case 'braids':
      return [
        area(
          color,
          ...[-1, 1].flatMap(side =>
            [28, 54, 80, 104].map((y, i) => ellipse(side * (56 + 2 * i), y, 13 - i, 17)),
          ),
        ),
      ];
    default:
      return [];
  }
}

function hairInFront({hair}: Person, color: string): Shape[] {
  const cap = 'M-50 -4C-58 -46 -36 -66 0 -66C36 -66 58 -46 50 -4';
  switch (hair) {
    case 'short':
      return [area(color, `${cap}Q44 -30 22 -34Q-8 -28 -34 -36Q-46 -24 -50 -4Z`)];
    case 'long':
      return [area(color, `${cap}Q42 -34 4 -44Q-40 -34 -50 -4Z`)];
    case 'curly':
      return [
        area(
          color,
          ...[
            [-36, -38],
            [-14, -46],
            [12, -46],
            [36, -38],
          ].map(([x, y]) => ellipse(x!, y!, 15)),
        ),
      ];
    case 'bun':
      return [area(color, `${cap}Q40 -40 0 -40Q-40 -40 -50 -4Z`)];
    case 'bob':
      return [area(color, 'M-54 6C-60 -46 -36 -66 0 -66C36 -66 60 -46 54 6L46 -22H-46Z')];
    case 'mohawk':
      return [area(color, polygon(-15, -40, -18, -74, -6, -92, -2, -78, 6, -96, 9, -80, 18, -84, 15, -40))];
    case 'braids':
      return [area(color, `${cap}Q36 -40 0 -58Q-36 -40 -50 -4Z`)];
    case 'bald':
      return [];
  }
}

function beardShapes({beard, face}: Person, color: string, x: number): Shape[] {
  const low = {round: 54, oval: 61, square: 57, long: 73}[face];
  const side = halfWidth({face} as Person);
  switch (beard) {
    case 'none':
      return [];
    case 'moustache':
      return [
        area(
          color,
          `M${n(x)} 24Q${n(x + 16)} 20 ${n(x + 28)} 34Q${n(x + 12)} 35 ${n(x)} 30Q${n(x - 12)} 35 ${n(x - 28)} 34Q${n(x - 16)} 20 ${n(x)} 24Z`,
        ),
      ];
    case 'goatee':
      return [
        area(
          color,
          `M${n(x - 18)} 46Q${n(x)} 40 ${n(x + 18)} 46Q${n(x + 14)} ${low + 14} ${n(x)} ${low + 18}Q${n(x - 14)} ${low + 14} ${n(x - 18)} 46Z`,
        ),
      ];
    case 'full':
      return [
        area(
          color,
          `M${-side} 8Q${-side - 2} ${low + 6} 0 ${low + 16}Q${side + 2} ${low + 6} ${side} 8Q${n(x + 30)} 24 ${n(x)} 25Q${n(x - 30)} 24 ${-side} 8Z`,
        ),
      ];
  }
}

function mouthShapes(expression: Expression, x: number): Shape[] {
  const at = (path: (x: number) => string) => path(n(x));
  switch (expression) {
    case 'smiling':
    case 'winking':
      return [
        area(
          lips,
          at(x => `M${x - 20} 32Q${x} 36 ${x + 20} 32Q${x + 14} 50 ${x} 50Q${x - 14} 50 ${x - 20} 32Z`),
        ),
        area(
          '#ffffff',
          at(x => `M${x - 15} 34Q${x} 38 ${x + 15} 34L${x + 12} 40H${x - 12}Z`),
        ),
      ];
    case 'sad':
      return [
        line(
          lips,
          5,
          at(x => `M${x - 17} 46Q${x} 30 ${x + 17} 46`),
        ),
      ];
    case 'surprised':
      return [area(lips, ellipse(x, 41, 9, 12)), area(dark, ellipse(x, 41, 5, 8))];
    case 'calm':
      return [
        line(
          lips,
          5,
          at(x => `M${x - 14} 39Q${x} 42 ${x + 14} 39`),
        ),
      ];
    case 'angry':
      return [area('#ffffff', rect(x - 17, 34, 34, 11)), line(lips, 4, rect(x - 17, 34, 34, 11))];
  }
}

function eyeShapes({eyes}: Person, expression: Expression, x: number, browColor: string): Shape[] {
  const [left, right] = [x - 18, x + 18];
  const tall = {smiling: 8, winking: 8, sad: 7, surprised: 11, calm: 7, angry: 6.5}[expression];
  const open = expression === 'winking' ? [left] : [left, right];
  const raise = expression === 'surprised' ? -6 : 0;
  const slant = {smiling: 0, winking: 0, sad: -5, surprised: 0, calm: 0, angry: 6}[expression];
  const brow = (eye: number, side: number) =>
    `M${n(eye + side * 9)} ${n(-20 + raise - slant / 2)}Q${n(eye)} ${n(-24 + raise)} ${n(eye - side * 9)} ${n(-20 + raise + slant)}`;
  return [
    area('#ffffff', ...open.map(eye => ellipse(eye, -4, 9, tall))),
    area(eyeColors[eyes], ...open.map(eye => ellipse(eye + x / 4, -3.5, 5, Math.min(6, tall)))),
    area('#101014', ...open.map(eye => ellipse(eye + x / 4, -3.5, 2.5))),
    ...(expression === 'winking'
      ? [line(dark, 4, `M${n(right - 9)} -3Q${n(right)} -9 ${n(right + 9)} -3`)]
      : []),
    line(browColor, 4.5, brow(left, -1), brow(right, 1)),
  ];
}

function noseShapes({nose}: Person, color: string, x: number, turn: number): Shape[] {
  const tip = x + 4 * turn;
  switch (nose) {
    case 'small':
      return [line(color, 3.5, `M${n(tip - 4)} 15Q${n(tip)} 19 ${n(tip + 4)} 15`)];
    case 'long': {
      const side = turn < 0 ? -1 : 1;
      return [line(color, 3.5, `M${n(x)} -4L${n(tip + 8 * side)} 20Q${n(tip)} 24 ${n(tip - 5 * side)} 20`)];
    }
    case 'wide':
      return [area(color, ellipse(tip, 14, 12, 7.5))];
  }
}

function glassesShapes({glasses}: Person, x: number): Shape[] {
  if (glasses === 'none') return [];
  const lens = (eye: number) => (glasses === 'round' ? ellipse(eye, -4, 15) : rect(eye - 15, -15, 30, 22));
  return [line('#1c1c24', 4, lens(x - 18), lens(x + 18), `M${n(x - 4)} -6H${n(x + 4)}`)];
}
