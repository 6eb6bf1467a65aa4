/** Eyes, brows, nose, mouth and glasses of a face that looks straight ahead. */
import {area, ellipse, line, n, rect, type Shape} from '../shapes.ts';
import {type Expression, eyeColors, type Person} from './person.ts';

const lips = '#a8323e';
const grin = [
  area(lips, 'M-20 32Q0 36 20 32Q14 50 0 50Q-14 50 -20 32Z'),
  area('#ffffff', 'M-15 34Q0 38 15 34L12 40H-12Z'),
];

const mouths: Readonly<Record<Expression, readonly Shape[]>> = {
  smiling: grin,
  winking: grin,
  sad: [line(lips, 5, 'M-17 46Q0 30 17 46')],
  surprised: [area(lips, ellipse(0, 41, 9, 12)), area('#2a1b16', ellipse(0, 41, 5, 8))],
  calm: [line(lips, 5, 'M-14 39Q0 42 14 39')],
  angry: [area('#ffffff', rect(-17, 34, 34, 11)), line(lips, 4, rect(-17, 34, 34, 11))],
};

interface Look {
  /** Half the height of an open eye. */
  readonly open: number;
  /** How far brows are raised, and how far their inner ends are lower than the outer. */
  readonly raised: number;
  readonly slant: number;
}

const looks: Readonly<Record<Expression, Look>> = {
  smiling: {open: 8, raised: 0, slant: 0},
  winking: {open: 8, raised: 0, slant: 0},
  sad: {open: 7, raised: 0, slant: -5},
  surprised: {open: 11, raised: 6, slant: 0},
  calm: {open: 7, raised: 0, slant: 0},
  angry: {open: 6.5, raised: 0, slant: 6},
};

/** Of both eyes, from the middle of the face. */
const eyeDistance = 18;

export function mouthShapes(expression: Expression): readonly Shape[] {
  return mouths[expression];
}

/** @param turn where the eyes look, from -1 (left) to 1 (right) */
export function eyeShapes(eyes: Person['eyes'], expression: Expression, turn: number, brow: string): Shape[] {
  const {open, raised, slant} = looks[expression];
  const isWinking = expression === 'winking';
  const opened = isWinking ? [-eyeDistance] : [-eyeDistance, eyeDistance];
  const gaze = 2.25 * turn;
  const browPath = (side: -1 | 1) => {
    const [x, y] = [side * eyeDistance, -20 - raised];
    return `M${x + side * 9} ${n(y - slant / 2)}Q${x} ${y - 4} ${x - side * 9} ${n(y + slant)}`;
  };
  return [
    area('#ffffff', ...opened.map(x => ellipse(x, -4, 9, open))),
    area(eyeColors[eyes], ...opened.map(x => ellipse(x + gaze, -3.5, 5, Math.min(6, open)))),
    area('#101014', ...opened.map(x => ellipse(x + gaze, -3.5, 2.5))),
    ...(isWinking
      ? [line('#2a1b16', 4, `M${eyeDistance - 9} -3Q${eyeDistance} -9 ${eyeDistance + 9} -3`)]
      : []),
    line(brow, 4.5, browPath(-1), browPath(1)),
  ];
}

export function noseShape(nose: Person['nose'], turn: number, color: string): Shape {
  const tip = 4 * turn;
  switch (nose) {
    case 'small':
      return line(color, 3.5, `M${n(tip - 4)} 15Q${n(tip)} 19 ${n(tip + 4)} 15`);
    case 'long': {
      const side = turn < 0 ? -1 : 1;
      return line(color, 3.5, `M0 -4L${n(tip + 8 * side)} 20Q${n(tip)} 24 ${n(tip - 5 * side)} 20`);
    }
    case 'wide':
      return area(color, ellipse(tip, 14, 12, 7.5));
  }
}

export function glassesShapes(glasses: Person['glasses']): Shape[] {
  if (glasses === 'none') return [];
  const lens = (x: number) => (glasses === 'round' ? ellipse(x, -4, 15) : rect(x - 15, -15, 30, 22));
  return [line('#1c1c24', 4, lens(-eyeDistance), lens(eyeDistance), 'M-4 -6H4')];
}
