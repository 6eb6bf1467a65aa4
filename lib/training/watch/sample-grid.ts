/**
 * Generated samples as one picture: a row for each sample, with its condition, its target, and what was made of them.
 */
import {fitInto} from '../../images/fit-into.ts';
import type {RgbImage} from '../../images/image.ts';
import {labelledGrid} from '../../images/labelled-grid.ts';
import type {SampleRow} from './validation-samples.ts';

/** Of a cell without a picture: one white pixel. */
const blank: RgbImage = {width: 1, height: 1, data: new Uint8Array(3).fill(255)};

/** Conditions and targets are brought to the size of the pictures that were made of them. */
export async function drawSampleGrid(rows: readonly SampleRow[]): Promise<RgbImage> {
  const columns = 2 + Math.max(...rows.map(({results}) => results.length));
  const pictures: RgbImage[] = [];
  const labels: string[] = [];
  for (const {sample, condition, target, results} of rows) {
    const side = Math.max(...results.flatMap(({picture: {width, height}}) => [width, height]));
    pictures.push(await fitInto(condition, side), await fitInto(target, side));
    labels.push(`${sample.task}: condition`, sample.prompt);
    for (const {instruction, picture} of results) {
      pictures.push(picture);
      labels.push(instruction || 'result');
    }
    while (pictures.length % columns !== 0) {
      pictures.push(blank);
      labels.push('');
    }
  }
  return labelledGrid(pictures, labels, columns);
}
