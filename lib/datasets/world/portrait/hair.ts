/** Forms of hair and beards, as paths in the units of a portrait. */
import {area, ellipse, polygon, type Shape} from '../shapes.ts';
import type {Person} from './person.ts';

const cap = 'M-50 -4C-58 -46 -36 -66 0 -66C36 -66 58 -46 50 -4';

/** What hangs behind head and shoulders. */
const behind: Partial<Record<Person['hair'], string>> = {
  long: 'M-58 0C-66 -50 -40 -72 0 -72C40 -72 66 -50 58 0Q56 60 72 104H-72Q-56 60 -58 0Z',
  curly: curls(24, -48, 20, -60, -6, -52, -36, -28, -58, 0, -64, 28, -58, 52, -36, 60, -6, 48, 20),
  bun: ellipse(0, -72, 22, 20),
  bob: 'M-60 40C-70 -44 -44 -70 0 -70C44 -70 70 -44 60 40Q54 48 34 44H-34Q-54 48 -60 40Z',
  braids: braid(-1) + braid(1),
};

/** What lies on the forehead. */
const inFront: Partial<Record<Person['hair'], string>> = {
  short: `${cap}Q44 -30 22 -34Q-8 -28 -34 -36Q-46 -24 -50 -4Z`,
  long: `${cap}Q42 -34 4 -44Q-40 -34 -50 -4Z`,
  curly: curls(15, -36, -38, -14, -46, 12, -46, 36, -38),
  bun: `${cap}Q40 -40 0 -40Q-40 -40 -50 -4Z`,
  bob: 'M-54 6C-60 -46 -36 -66 0 -66C36 -66 60 -46 54 6L46 -22H-46Z',
  mohawk: polygon(-15, -40, -18, -74, -6, -92, -2, -78, 6, -96, 9, -80, 18, -84, 15, -40),
  braids: `${cap}Q36 -40 0 -58Q-36 -40 -50 -4Z`,
};

export function hairBehind(hair: Person['hair'], color: string): Shape[] {
  return toShapes(behind[hair], color);
}

export function hairInFront(hair: Person['hair'], color: string): Shape[] {
  return toShapes(inFront[hair], color);
}

/**
 * @param side half the width of the face
 * @param chin how far down the face ends
 */
export function beardShapes(beard: Person['beard'], side: number, chin: number, color: string): Shape[] {
  switch (beard) {
    case 'none':
      return [];
    case 'moustache':
      return [area(color, 'M0 24Q16 20 28 34Q12 35 0 30Q-12 35 -28 34Q-16 20 0 24Z')];
    case 'goatee':
      return [area(color, `M-18 46Q0 40 18 46Q14 ${chin + 14} 0 ${chin + 18}Q-14 ${chin + 14} -18 46Z`)];
    case 'full': {
      const jaw = `M${-side} 8Q${-side - 2} ${chin + 6} 0 ${chin + 16}Q${side + 2} ${chin + 6} ${side} 8`;
      return [area(color, `${jaw}Q30 24 0 25Q-30 24 ${-side} 8Z`)];
    }
  }
}

function toShapes(path: string | undefined, color: string): Shape[] {
  return path === undefined ? [] : [area(color, path)];
}

/** Circles about x, y, x, y … */
function curls(radius: number, ...middles: readonly number[]): string {
  const paths = middles.map((x, i) => (i % 2 === 0 ? ellipse(x, middles[i + 1]!, radius) : ''));
  return paths.join('');
}

function braid(side: -1 | 1): string {
  return [0, 1, 2, 3].map(i => ellipse(side * (56 + 2 * i), 28 + 26 * i, 13 - i, 17)).join('');
}
