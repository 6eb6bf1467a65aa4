import {ArgumentError} from '../errors.ts';
import {overlayHeatMap} from '../images/heat-map.ts';
import type {RgbImage} from '../images/image.ts';
import {labelledGrid} from '../images/labelled-grid.ts';
import {resizeBilinear} from '../images/resize-plane.ts';
import type {GeneratedImage} from './generate.ts';
import {gatherRows, type HostTensor} from './host-tensor.ts';

/**
 * A picture of attention maps: a cell for each token, its map laid over the generated picture as a heat map from the token's
 * lowest share (dark) to its highest (light). Captions have the token's number, after that of its condition where there are
 * several, and these two shares.
 *
 * @param generated with `image` and `attentionMaps`
 * @throws ArgumentError where it lacks one of them
 */
export async function attentionMapGrid({image, attentionMaps}: GeneratedImage): Promise<RgbImage> {
  if (image === undefined || attentionMaps === undefined || attentionMaps.length === 0) {
    throw new ArgumentError(
      'attentionMapGrid: expected a generated picture with attention maps but received one without ' +
        `${image === undefined ? 'a picture' : 'maps'}. Generate it from a condition image with ` +
        "attentionMaps: true and outputType 'pil'.",
    );
  }
  const cells = attentionMaps.flatMap((maps, condition) =>
    Array.from({length: maps.shape[0]!}, (_, token) => {
      const prefix = attentionMaps.length > 1 ? `condition ${condition}, ` : '';
      return cellOf(image, gatherRows(maps, [token]), `${prefix}token ${token}`);
    }),
  );
  const most = Math.max(...attentionMaps.map(({shape}) => shape[0]!));
  return labelledGrid(
    cells.map(({picture}) => picture),
    cells.map(({label}) => label),
    Math.ceil(Math.sqrt(most)),
  );
}

/** @param map [1, h, w] */
function cellOf(image: RgbImage, {shape, data}: HostTensor, name: string) {
  const [, height, width] = shape as [number, number, number];
  const low = data.reduce((a, b) => Math.min(a, b));
  const high = data.reduce((a, b) => Math.max(a, b));
  const heat = data.map(share => (high > low ? (share - low) / (high - low) : 0));
  const picture = overlayHeatMap(image, resizeBilinear(heat, {height, width}, image));
  return {picture, label: `${name}\n${percent(low)}–${percent(high)} %`};
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
