/**
 * From factors to SVG: the background's shapes, then the figures', each as the style draws it.
 */
import {backgroundShapes, sheetSide} from './backgrounds.ts';
import type {Factors, Portrait, Scene} from './factors.ts';
import {placements} from './layouts.ts';
import {objectBox, objectShapes, paintOf} from './objects.ts';
import {placeShape} from './place-shape.ts';
import {portraitShapes} from './portrait/portrait.ts';
import {n, type Shape} from './shapes.ts';
import {Sheet} from './styles/sheet.ts';
import {styleOf} from './styles.ts';

/** Behind a portrait the horizon is of no account. */
const portraitHorizon = 0.6;

/** A picture of `side` by `side` pixels. */
export function pictureSvg(factors: Factors, side: number): string {
  const style = styleOf(factors.style.name);
  const sheet = new Sheet(style.palettes[factors.style.palette]!);
  const {background, figure, turn} = factors.type === 'scene' ? sceneShapes(factors) : portraitOf(factors);
  const behind = background.map(shape => style.background(shape, sheet)).join('');
  const before = figure.map(shape => (shape.fine ? style.detail : style.figure)(shape, sheet)).join('');
  const between = style.between?.(sheet) ?? '';
  const above = style.finish?.(sheet) ?? '';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 ${sheetSide} ${sheetSide}">` +
    `<defs>${sheet.definitions}</defs><path d="M0 0H${sheetSide}V${sheetSide}H0Z" fill="${sheet.palette.paper}"/>` +
    `${behind}${between}${turn === undefined ? before : `<g transform="${turn}">${before}</g>`}${above}</svg>`
  );
}

interface Picture {
  readonly background: readonly Shape[];
  readonly figure: readonly Shape[];
  /** Of the figure, as an SVG transform. */
  readonly turn?: string;
}

function sceneShapes({object, layout, background}: Scene): Picture {
  const shapes = objectShapes(object.kind, object.color);
  return {
    background: backgroundShapes(background, sheetSide * layout.horizon, layout.light),
    figure: placements(layout).flatMap(({x, bottom, side}) =>
      shapes.map(shape => placeShape(shape, side / objectBox, x - side / 2, bottom - side)),
    ),
  };
}

function portraitOf({person, expression, pose, shirt, background, light}: Portrait): Picture {
  const {turn, tilt, zoom, shift} = pose;
  const [x, y] = [sheetSide * (0.5 + shift), sheetSide * 0.52];
  const scale = 1.15 * zoom;
  return {
    background: backgroundShapes(background, sheetSide * portraitHorizon, light),
    figure: portraitShapes(person, expression, turn, paintOf(shirt)).map(shape =>
      placeShape(shape, scale, x, y),
    ),
    turn: `rotate(${n(tilt)} ${n(x)} ${sheetSide})`,
  };
}
