/**
 * Pictures side by side: condition, and what each adapter made of it (Rowles et al. 2024, fig. 9).
 */

import {readFile} from 'node:fs/promises';
import sharp from 'sharp';
import type {Dataset} from '../../datasets/dataset.ts';
import {readDatasetBytes} from '../../datasets/dataset-image.ts';
import {lastSteps} from '../evaluated-adapters.ts';
import type {PictureRecord} from '../picture-record.ts';
import {picturePath} from '../result-log.ts';
import {type Html, html, nothing} from './html.ts';
import {tasksInOrder} from './names.ts';

/** The longest side of a picture in the report, in pixels. */
const longestSide = 320;

export interface GridSource {
  /** With the pictures. */
  readonly folder: string;
  readonly dataset: Dataset;
  readonly records: readonly PictureRecord[];
  readonly shownPerTask: number;
}

/** Of the first samples of each task, the first picture of each adapter's last step. */
export async function pictureGrids({folder, dataset, records, shownPerTask}: GridSource): Promise<Html> {
  const adapters = [...new Set(records.map(({adapter}) => adapter))];
  const grids: Html[] = [];
  for (const task of tasksInOrder(records.map(record => record.task))) {
    const own = lastSteps(
      records
        .filter(record => record.task === task)
        .map(record => ({...record, label: record.adapter, step: record.step})),
    );
    const samples = [...new Set(own.map(({sample}) => sample))].slice(0, shownPerTask);
    const shown = adapters.filter(adapter => own.some(record => record.adapter === adapter));
    const rows: Html[] = [];
    for (const index of samples) {
      const sample = dataset.samples[index]!;
      const cells: Html[] = [];
      for (const adapter of shown) {
        const record = own.find(other => other.adapter === adapter && other.sample === index);
        cells.push(record === undefined ? html`<td></td>` : await resultCell(folder, record));
      }
      rows.push(html`<tr><td>${await picture(readDatasetBytes(sample.condition), 'condition')}</td>
<td class="words">${sample.prompt}</td>${cells}</tr>`);
    }
    grids.push(html`<h3>${task}</h3><div class="wide"><table class="pictures"><thead><tr><th>condition</th><th>prompt</th>
${shown.map(adapter => html`<th>${adapter}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`);
  }
  return html`${grids}`;
}

async function resultCell(folder: string, {id, instruction, seed}: PictureRecord): Promise<Html> {
  const image = await picture(await readFile(picturePath(folder, id)), id);
  const told = instruction === '' ? nothing : html`${instruction} · `;
  return html`<td>${image}<small>${told}seed ${seed}</small></td>`;
}

/** As JPEG in the page itself. */
async function picture(bytes: Uint8Array, alt: string): Promise<Html> {
  const {data, info} = await sharp(bytes)
    .resize({width: longestSide, height: longestSide, fit: 'inside', withoutEnlargement: true})
    .flatten({background: 'white'})
    .jpeg({quality: 85})
    .toBuffer({resolveWithObject: true});
  const source = `data:image/jpeg;base64,${data.toString('base64')}`;
  return html`<img src="${source}" width="${info.width}" height="${info.height}" alt="${alt}">`;
}
