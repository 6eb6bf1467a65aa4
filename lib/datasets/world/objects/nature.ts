import {mix} from '../color-math.ts';
import {area, detail, ellipse, line, polygon, rect, type Shape} from '../shapes.ts';

export function cactus(color: string): Shape[] {
  const dark = mix(color, '#000000', 0.3);
  return [
    line(color, 13, 'M42 60H24Q20 60 20 54V36', 'M58 50H76Q80 50 80 44V26'),
    area(color, 'M36 84V22Q36 6 50 6Q64 6 64 22V84Z', ellipse(20, 36, 6.5), ellipse(80, 26, 6.5)),
    line(dark, 2, 'M45 14V80M55 14V80M20 36V52M80 26V42'),
    area('#f06a9a', ellipse(50, 6, 6)),
    area('#b5623a', 'M26 78H74L68 100H32Z'),
    area('#8d4527', rect(24, 76, 52, 7)),
  ];
}

export function tree(color: string): Shape[] {
  return [
    area('#7a4a2c', 'M44 100Q46 80 45 58H55Q54 80 58 100Z'),
    line('#7a4a2c', 4, 'M50 74L34 58M51 68L66 54'),
    area(color, ellipse(50, 26, 25, 24), ellipse(28, 44, 23, 20), ellipse(72, 44, 23, 20)),
    area(color, ellipse(50, 50, 24, 18)),
    area(mix(color, '#ffffff', 0.35), ellipse(41, 18, 11, 9), ellipse(22, 38, 9, 8), ellipse(66, 36, 9, 7)),
    area(mix(color, '#000000', 0.25), ellipse(58, 58, 12, 6), ellipse(80, 54, 9, 5)),
  ];
}

export function fish(color: string): Shape[] {
  const dark = mix(color, '#000000', 0.28);
  return [
    area(dark, 'M72 56L98 34Q92 56 98 80Z', 'M36 36Q48 16 66 24L60 40Z', 'M40 76Q48 94 60 88L58 74Z'),
    area(color, 'M4 58C14 30 56 24 78 56C56 90 14 86 4 58Z'),
    area(mix(color, '#ffffff', 0.6), 'M8 62C24 72 44 72 62 66C46 84 18 82 8 62Z'),
    line('#ffffff', 3.5, 'M38 40Q48 57 38 74M54 40Q62 56 54 72'),
    detail('#ffffff', ellipse(20, 52, 6.5)),
    detail('#1c1c24', ellipse(19, 52, 3.5)),
  ];
}

export function mushroom(color: string): Shape[] {
  return [
    area('#f3e6cf', 'M36 56Q40 80 32 98Q50 102 68 98Q60 80 64 56Z'),
    area('#d8c3a0', 'M22 58Q50 72 78 58Q64 50 50 50Q36 50 22 58Z'),
    area(color, 'M4 56C6 22 28 6 50 6C72 6 94 22 96 56Q72 64 50 62Q28 64 4 56Z'),
    area(
      '#fffaf0',
      ellipse(32, 32, 9, 8),
      ellipse(60, 22, 8, 7),
      ellipse(74, 44, 8, 7),
      ellipse(46, 48, 7, 6),
    ),
    area('#fffaf0', ellipse(16, 47, 5)),
  ];
}

export function cat(color: string): Shape[] {
  const light = mix(color, '#ffffff', 0.65);
  return [
    line(color, 8, 'M70 92C96 94 96 66 86 56'),
    area(color, 'M28 100C26 74 34 56 50 56C66 56 76 74 74 100Z'),
    area(light, 'M42 100C40 82 44 72 50 72C56 72 60 82 58 100Z'),
    area(color, polygon(24, 4, 44, 20, 24, 36), polygon(76, 4, 56, 20, 76, 36)),
    area(color, ellipse(50, 36, 28, 24)),
    detail('#ffffff', ellipse(39, 34, 6, 7), ellipse(61, 34, 6, 7)),
    detail('#1c1c24', ellipse(39, 35, 3, 5), ellipse(61, 35, 3, 5)),
    detail('#e8788c', polygon(46, 44, 54, 44, 50, 49)),
    line('#1c1c24', 1.5, 'M34 46L14 42M34 50L15 52M66 46L86 42M66 50L85 52'),
  ];
}

export function duck(color: string): Shape[] {
  return [
    area(mix(color, '#000000', 0.25), 'M78 60L98 48Q98 70 82 78Z'),
    area(color, 'M14 66C14 88 32 98 54 98C80 98 92 82 90 60C80 70 66 58 52 58C40 58 14 50 14 66Z'),
    area(color, ellipse(32, 32, 21)),
    area(color, 'M16 40L50 40L52 70L18 72Z'),
    area('#f08a1d', 'M14 30L0 36Q2 46 16 44Z'),
    detail('#ffffff', ellipse(28, 26, 5.5)),
    detail('#1c1c24', ellipse(27, 26, 3)),
    area(mix(color, '#ffffff', 0.45), 'M46 70Q62 62 76 70Q74 86 58 86Q48 84 46 70Z'),
  ];
}
