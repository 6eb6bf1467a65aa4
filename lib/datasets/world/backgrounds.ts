/**
 * Backgrounds: what lies behind the objects, on a sheet of 256 by 256 units. The horizon is a height in these units;
 * `light` is where sun, moon or window stand, from 0 (left) to 1 (right).
 */
import {area, ellipse, line, n, polygon, rect, type Shape} from './shapes.ts';

export const sheetSide = 256;

type Background = (horizon: number, light: number) => Shape[];

const wall = (color: string, bottom: number) => area(color, rect(0, 0, sheetSide, bottom));
const ground = (color: string, top: number) => area(color, rect(0, top, sheetSide, sheetSide - top));
const lightX = (light: number) => 34 + 188 * light;

function cloud(color: string, x: number, y: number): Shape {
  return area(color, ellipse(x, y, 20, 9), ellipse(x - 12, y + 5, 16, 8), ellipse(x + 16, y + 4, 18, 8));
}

function sea(horizon: number, light: number): Shape[] {
  const waves = [14, 38, 64].flatMap(below =>
    [0, 1, 2].map(i => {
      const x = ((i * 92 + below * 3) % 240) - 10;
      return `M${x} ${n(horizon + below)}q11 -8 22 0t22 0`;
    }),
  );
  return [
    wall('#bfe3f5', horizon),
    area('#ffe08a', ellipse(lightX(light), 44, 19)),
    cloud('#ffffff', lightX(1 - light), 52),
    ground('#2f86c1', horizon),
    line('#a8dcf2', 4, ...waves),
  ];
}

function desert(horizon: number, light: number): Shape[] {
  return [
    wall('#fbdca4', horizon),
    area('#fff4d2', ellipse(lightX(light), 46, 24)),
    area('#c9743f', polygon(0, horizon, 18, horizon - 34, 66, horizon - 34, 82, horizon)),
    area('#d88b52', polygon(168, horizon, 182, horizon - 24, 226, horizon - 24, 244, horizon)),
    ground('#e9b468', horizon),
    area(
      '#d99a4c',
      `M0 ${n(horizon + 40)}Q70 ${n(horizon + 8)} 140 ${n(horizon + 46)}T256 ${n(horizon + 30)}V256H0Z`,
    ),
  ];
}

function hills(horizon: number, light: number): Shape[] {
  return [
    wall('#c9ebfa', horizon + 10),
    area('#ffe08a', ellipse(lightX(light), 42, 18)),
    cloud('#ffffff', lightX(1 - light), 40),
    area(
      '#8fbf7a',
      `M0 ${n(horizon + 4)}Q56 ${n(horizon - 48)} 120 ${n(horizon)}T256 ${n(horizon - 22)}V256H0Z`,
    ),
    area('#6aa656', `M0 ${n(horizon + 18)}Q90 ${n(horizon - 16)} 256 ${n(horizon + 16)}V256H0Z`),
    line(
      '#4f8a42',
      4,
      ...[
        [22, 46],
        [70, 66],
        [128, 52],
        [186, 70],
        [232, 44],
      ].map(([x, y]) => `M${x} ${n(horizon + y!)}l-5 -10m5 10l5 -10`),
    ),
  ];
}

function city(horizon: number, light: number): Shape[] {
  const houses = [
    [0, 38, 96],
    [40, 32, 64],
    [74, 40, 122],
    [118, 34, 80],
    [156, 44, 108],
    [204, 52, 70],
  ];
  const windows = houses.flatMap(([x, width, height]) =>
    [14, 38, 62]
      .filter(y => y < height! - 16)
      .flatMap(y => [
        rect(x! + 7, horizon - height! + y, 7, 10),
        rect(x! + width! - 14, horizon - height! + y, 7, 10),
      ]),
  );
  return [
    wall('#f6d4c0', horizon),
    area('#fff1c9', ellipse(lightX(light), 36, 17)),
    area('#8d93ab', ...houses.map(([x, width, height]) => rect(x!, horizon - height!, width!, height!))),
    area('#f7e9a8', ...windows),
    ground('#a9a6a4', horizon),
    line('#f4f1e8', 5, ...[0, 1, 2, 3].map(i => `M${8 + 68 * i} ${n((horizon + sheetSide) / 2)}h36`)),
  ];
}

function room(horizon: number, light: number): Shape[] {
  const x = 22 + 136 * light;
  const other = light < 0.5 ? 196 : 26;
  return [
    wall('#e9d3b4', horizon),
    area('#ffffff', rect(x, 22, 76, 84)),
    area(
      '#a9d8ef',
      rect(x + 6, 28, 29, 33),
      rect(x + 41, 28, 29, 33),
      rect(x + 6, 67, 29, 33),
      rect(x + 41, 67, 29, 33),
    ),
    area('#b5543f', rect(other - 4, 34, 42, 50)),
    area('#f4ead6', rect(other + 2, 40, 30, 38)),
    ground('#a8693c', horizon),
    area('#f4ead6', rect(0, horizon - 7, sheetSide, 7)),
    line('#8a5230', 3, ...[22, 50, 84].map(below => `M0 ${n(horizon + below)}H256`)),
  ];
}

function night(horizon: number, light: number): Shape[] {
  const stars = [
    [18, 30],
    [52, 78],
    [78, 22],
    [112, 58],
    [150, 24],
    [176, 84],
    [206, 40],
    [238, 74],
    [30, 112],
    [132, 100],
    [224, 116],
  ];
  return [
    wall('#1d2750', horizon + 10),
    area('#f7efc4', ellipse(lightX(light), 46, 22)),
    area('#1d2750', ellipse(lightX(light) + 11, 40, 18)),
    area(
      '#fdf8dc',
      ...stars.filter(([x]) => Math.abs(x! - lightX(light)) > 30).map(([x, y]) => ellipse(x!, y!, 3.5)),
    ),
    area(
      '#16324a',
      `M0 ${n(horizon + 6)}Q64 ${n(horizon - 36)} 130 ${n(horizon + 2)}T256 ${n(horizon - 12)}V256H0Z`,
    ),
    ground('#122a38', horizon + 10),
  ];
}

function forest(horizon: number, light: number): Shape[] {
  const fir = (x: number, height: number) =>
    polygon(x - height * 0.32, horizon + 4, x, horizon - height, x + height * 0.32, horizon + 4);
  return [
    wall('#dcecc8', horizon),
    area('#fff6cf', ellipse(lightX(light), 40, 20)),
    area('#7ba58a', ...[10, 62, 112, 166, 222].map(x => fir(x, 92))),
    area('#34694d', ...[34, 90, 196, 246].map((x, i) => fir(x, i % 2 === 0 ? 118 : 100))),
    ground('#88a355', horizon),
    area('#6f8a43', ellipse(48, horizon + 58, 44, 9), ellipse(196, horizon + 40, 50, 8)),
  ];
}

function mountains(horizon: number, light: number): Shape[] {
  const peak = (x: number, height: number, half: number) =>
    polygon(x - half, horizon, x, horizon - height, x + half, horizon);
  const snow = (x: number, height: number, half: number) => {
    const [down, out] = [height * 0.36, half * 0.36];
    const top = horizon - height;
    return polygon(
      x,
      top,
      x + out,
      top + down,
      x + out / 3,
      top + down * 0.75,
      x - out / 3,
      top + down * 1.1,
      x - out,
      top + down,
    );
  };
  return [
    wall('#d6e6f6', horizon),
    area('#fff1b8', ellipse(lightX(light), 34, 17)),
    area('#7f93b5', peak(58, 112, 84), peak(206, 96, 78)),
    area('#62779c', peak(132, 130, 92)),
    area('#ffffff', snow(58, 112, 84), snow(206, 96, 78), snow(132, 130, 92)),
    ground('#eef4fb', horizon),
    area('#cfdff0', `M0 ${n(horizon + 52)}Q80 ${n(horizon + 20)} 256 ${n(horizon + 60)}V256H0Z`),
  ];
}

const backgroundDrawings = {sea, desert, hills, city, room, night, forest, mountains} satisfies Record<
  string,
  Background
>;

export type BackgroundName = keyof typeof backgroundDrawings;
export const backgroundNames = Object.keys(backgroundDrawings) as BackgroundName[];

export function backgroundShapes(name: BackgroundName, horizon: number, light: number): Shape[] {
  return backgroundDrawings[name](horizon, light);
}
