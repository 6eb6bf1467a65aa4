import {mix} from '../color-math.ts';
import {area, ellipse, line, rect, type Shape} from '../shapes.ts';

export function teapot(color: string): Shape[] {
  const dark = mix(color, '#000000', 0.28);
  return [
    line(dark, 7, 'M24 52C4 44 4 84 28 82'),
    area(dark, 'M70 72C86 70 84 50 95 42L100 47C94 56 96 78 72 88Z'),
    area(color, 'M50 38C76 38 84 56 82 70C80 88 68 98 50 98C32 98 20 88 18 70C16 56 24 38 50 38Z'),
    area(dark, 'M28 42Q50 50 72 42Q70 30 50 30Q30 30 28 42Z'),
    area('#f7f3ea', ellipse(50, 25, 6)),
    area(mix(color, '#ffffff', 0.6), 'M27 60Q30 50 38 47Q33 56 32 66Q26 68 27 60Z'),
    line('#f7f3ea', 3, 'M20 74Q35 82 50 74Q65 66 81 74'),
  ];
}

export function cup(color: string): Shape[] {
  return [
    line('#c9c2b8', 3, 'M38 38C30 28 44 22 37 10', 'M54 38C46 28 60 22 53 10'),
    area('#e9e2d4', ellipse(48, 93, 44, 7)),
    line(color, 7, 'M72 56C98 50 96 84 68 82'),
    area(color, 'M16 44H78C78 74 70 92 58 94H36C24 92 16 74 16 44Z'),
    area('#5a3620', ellipse(47, 45, 31, 6)),
    area(mix(color, '#ffffff', 0.55), 'M22 56Q28 58 31 57Q32 74 38 84Q26 76 22 56Z'),
  ];
}

export function lamp(color: string): Shape[] {
  return [
    area('#fff0a0', 'M30 46H70L88 78H12Z'),
    line('#5d4632', 4, 'M50 46V92'),
    area('#5d4632', 'M30 100Q32 90 50 90Q68 90 70 100Z'),
    area(color, 'M36 6H64L80 48H20Z'),
    area(mix(color, '#ffffff', 0.5), 'M40 6H48L42 48H30Z'),
    line('#d9a53a', 2, 'M66 48V62'),
    area('#d9a53a', ellipse(66, 64, 3)),
  ];
}

export function umbrella(color: string): Shape[] {
  return [
    line('#5d4632', 4, 'M50 8V86Q50 97 60 97Q69 97 69 87'),
    area(
      color,
      'M2 56C4 24 26 10 50 10C74 10 96 24 98 56Q90 47 82 56Q74 47 66 56Q58 47 50 56Q42 47 34 56Q26 47 18 56Q10 47 2 56Z',
    ),
    area(mix(color, '#ffffff', 0.55), 'M50 10C36 22 34 38 34 56Q42 47 50 56Q58 47 66 56C66 38 64 22 50 10Z'),
    area(mix(color, '#000000', 0.2), 'M50 10C26 22 20 36 18 56Q10 47 2 56C4 24 26 10 50 10Z'),
    line('#5d4632', 3, 'M50 3V11'),
  ];
}

export function guitar(color: string): Shape[] {
  return [
    area('#6b4226', rect(46, 8, 8, 50)),
    area('#3b2415', 'M43 0H57V14H43Z'),
    area(
      color,
      'M50 46C64 42 72 50 68 60C66 66 78 68 78 82C78 96 64 100 50 100C36 100 22 96 22 82C22 68 34 66 32 60C28 50 36 42 50 46Z',
    ),
    area('#2a1b12', ellipse(50, 66, 8.5)),
    area('#3b2415', rect(38, 84, 24, 5)),
    line('#f3e6cf', 1.2, 'M48 10V86M52 10V86'),
  ];
}
