/**
 * How much of its box each kind of object fills.
 */
import sharp from 'sharp';
import {type ObjectKind, objectBox, objectShapes} from './objects.ts';
import {painted} from './styles/paint.ts';

/** In units of the object's box. */
export interface Bounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pixels to a unit when measuring, and units around the box, so that what juts out is measured too. */
const scale = 2;
const rim = 20;
const known = new Map<ObjectKind, Promise<Bounds>>();

export function objectBounds(kind: ObjectKind): Promise<Bounds> {
  const bounds = known.get(kind) ?? measure(kind);
  known.set(kind, bounds);
  return bounds;
}

async function measure(kind: ObjectKind): Promise<Bounds> {
  const shapes = objectShapes(kind, 'red').map(shape => painted(shape, '#000000'));
  const side = objectBox + 2 * rim;
  const frame = `width="${side * scale}" height="${side * scale}" viewBox="${-rim} ${-rim} ${side} ${side}"`;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" ${frame}>` +
    `<path d="M${-rim} ${-rim}h${side}v${side}h${-side}Z" fill="#ffffff"/>${shapes.join('')}</svg>`;
  const {info} = await sharp(Buffer.from(svg))
    .removeAlpha()
    .trim({background: '#ffffff'})
    .toBuffer({resolveWithObject: true});
  return {
    x: -info.trimOffsetLeft! / scale - rim,
    y: -info.trimOffsetTop! / scale - rim,
    width: info.width / scale,
    height: info.height / scale,
  };
}
