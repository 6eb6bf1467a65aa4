import {mix} from '../color-math.ts';
import {area, ellipse, line, polygon, polyline, rect, type Shape} from '../shapes.ts';

export function sailingBoat(color: string): Shape[] {
  return [
    line('#7a4a2c', 3.5, 'M48 6V82'),
    area('#fbf7ec', 'M45 12V72H10Q34 50 45 12Z'),
    area(color, 'M52 8Q86 36 90 72H52Z'),
    area(mix(color, '#ffffff', 0.5), 'M52 48H82Q85 54 86 59H52Z'),
    area('#8a4f2a', 'M4 78H96Q90 100 76 100H24Q10 100 4 78Z'),
    area('#5d3219', 'M7 86H93Q91 91 89 94H11Q8 90 7 86Z'),
    area(color, polygon(48, 2, 62, 6, 48, 11)),
  ];
}

export function bicycle(color: string): Shape[] {
  const wheels = [22, 78];
  return [
    line('#2c3440', 4, ...wheels.map(x => ellipse(x, 78, 19))),
    line('#aab2bb', 1.2, ...wheels.map(x => `M${x - 18} 78H${x + 18}M${x} 60V96`)),
    line(
      color,
      5,
      polyline(22, 78, 38, 44, 68, 44, 46, 78, 22, 78),
      polyline(38, 44, 46, 78),
      'M78 78L66 34',
    ),
    line('#2c3440', 4, 'M66 34L76 28M66 34L58 30', 'M38 44L35 36'),
    area('#2c3440', 'M26 32H45Q44 39 36 38Z'),
    area('#2c3440', ellipse(46, 78, 5)),
  ];
}

export function car(color: string): Shape[] {
  return [
    area(
      color,
      'M3 80Q2 60 14 58L26 56L38 36Q40 33 45 33H68Q72 33 75 37L86 56Q97 58 97 70V82Q97 86 92 86H8Q3 86 3 80Z',
    ),
    area('#bfe6f7', 'M33 56L42 41H54V56Z', 'M58 56V41H67Q70 41 72 44L79 56Z'),
    area(mix(color, '#000000', 0.3), rect(4, 72, 92, 5)),
    area('#fff0a0', ellipse(93, 65, 4, 5)),
    area('#20242b', ellipse(25, 86, 13), ellipse(75, 86, 13)),
    area('#cfd5dc', ellipse(25, 86, 6), ellipse(75, 86, 6)),
  ];
}

export function balloon(color: string): Shape[] {
  return [
    area(color, 'M50 2C24 2 14 20 14 36C14 54 34 66 42 76H58C66 66 86 54 86 36C86 20 76 2 50 2Z'),
    area('#fff3d6', 'M50 2C38 10 34 24 34 38C34 54 42 66 46 76H54C58 66 66 54 66 38C66 24 62 10 50 2Z'),
    area(
      mix(color, '#000000', 0.22),
      'M50 2C46 14 45 26 45 38C45 54 47 66 48 76H52C53 66 55 54 55 38C55 26 54 14 50 2Z',
    ),
    line('#5d3219', 1.6, 'M42 76L44 88M58 76L56 88'),
    area('#a86b36', 'M41 86H59L57 100H43Z'),
    line('#5d3219', 1.6, 'M42 92H58'),
  ];
}
