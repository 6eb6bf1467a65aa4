import {mix} from '../color-math.ts';
import {area, ellipse, line, polygon, rect, type Shape} from '../shapes.ts';

export function lighthouse(color: string): Shape[] {
  // Stripes that follow the taper: half widths 9 at y 30 and 15 at y 94.
  const half = (y: number) => 9 + ((y - 30) * 6) / 64;
  const stripe = (top: number, bottom: number) =>
    polygon(50 - half(top), top, 50 + half(top), top, 50 + half(bottom), bottom, 50 - half(bottom), bottom);
  return [
    area('#6d665f', 'M22 100Q28 88 42 90H60Q74 88 80 100Z'),
    area('#f7f3ea', stripe(30, 94)),
    area(color, stripe(38, 50), stripe(62, 74), stripe(86, 94)),
    area('#ffe27a', rect(43, 14, 14, 14)),
    line('#2c3440', 2, 'M50 14V28'),
    area('#2c3440', rect(37, 27, 26, 5)),
    area(color, polygon(39, 15, 50, 2, 61, 15)),
    area('#2c3440', 'M46 94V84Q50 79 54 84V94Z'),
  ];
}

export function house(color: string): Shape[] {
  return [
    area('#8c4a3c', rect(68, 12, 9, 20)),
    area('#f3e6cf', rect(16, 46, 68, 54)),
    area(color, polygon(6, 50, 50, 12, 94, 50)),
    area('#7a4a2c', 'M42 100V68H58V100Z'),
    area('#8fd0f0', rect(23, 60, 13, 15), rect(64, 60, 13, 15)),
    line('#ffffff', 2, 'M29.5 60V75M23 67.5H36M70.5 60V75M64 67.5H77'),
    area('#f5d36a', ellipse(50, 36, 5)),
  ];
}

export function rocket(color: string): Shape[] {
  return [
    area('#ffb12e', 'M41 84Q44 100 50 100Q56 100 59 84Z'),
    area('#fff0a0', 'M45 84Q47 93 50 93Q53 93 55 84Z'),
    area(mix(color, '#000000', 0.25), 'M36 56Q22 66 22 86L38 78Z', 'M64 56Q78 66 78 86L62 78Z'),
    area('#eef1f5', 'M50 0Q68 20 66 54L62 84H38L34 54Q32 20 50 0Z'),
    area(color, 'M50 0Q60 11 64 26H36Q40 11 50 0Z'),
    area('#2c3440', ellipse(50, 43, 9.5)),
    area('#8fd0f0', ellipse(50, 43, 6.5)),
    area(color, rect(36.5, 70, 27, 6)),
  ];
}

export function tent(color: string): Shape[] {
  const dark = mix(color, '#000000', 0.3);
  return [
    line('#7a4a2c', 3, 'M46 22L56 10M54 22L44 10'),
    area(color, polygon(4, 100, 50, 16, 96, 100)),
    area(dark, polygon(50, 16, 96, 100, 72, 100)),
    area('#3a2a22', 'M50 40L68 100H32Z'),
    area(mix(color, '#ffffff', 0.55), 'M50 40L32 100H24Q42 78 50 40Z'),
  ];
}
