/**
 * What ControlNets are conditioned on, made from pictures.
 */
import {invalidArgument} from '../errors.ts';
import {cannyEdges} from '../images/canny.ts';
import {decodeImage} from '../images/decode-image.ts';
import type {RgbImage} from '../images/image.ts';
import {resizeLikePil} from '../images/pil-resize.ts';
import {scribble} from '../images/scribble.ts';

export const controlPreprocesses = ['none', 'canny', 'scribble'] as const;

/** `canny`: edges, at controlnet_aux's thresholds; `scribble`: these edges as thick as drawn lines; `none`: as given. */
export type ControlPreprocess = (typeof controlPreprocesses)[number];

/**
 * The control picture that a picture gives. Edges are looked for at the size of the result, as in ControlNet's own
 * code: none is lost or blurred by resizing it.
 */
export async function preprocessControl(
  image: RgbImage,
  kind: ControlPreprocess,
  size: {readonly width: number; readonly height: number},
): Promise<RgbImage> {
  if (kind === 'none') return image;
  const edges = await cannyEdges(await resizeLikePil(image, size, 'lanczos'));
  return decodeImage(kind === 'canny' ? edges : await scribble(edges));
}

export function checkControlPreprocess(value: unknown): ControlPreprocess {
  if (controlPreprocesses.includes(value as ControlPreprocess)) return value as ControlPreprocess;
  throw invalidArgument('controlPreprocess', `one of ${controlPreprocesses.join(', ')}`, value);
}
