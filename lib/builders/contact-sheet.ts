import {join} from 'node:path';
import {decodeImage} from '../images/decode-image.ts';
import {fitInto} from '../images/fit-into.ts';
import {labelledGrid} from '../images/labelled-grid.ts';
import {writeImage} from '../images/write-image.ts';
import type {SampleLine} from './build-log.ts';

const shown = 24;
const pictureSide = 160;
const columns = 6;

/** `contact-sheet.png`: samples from all over the set, each condition beside its target and the prompt. */
export async function writeContactSheet(folder: string, samples: readonly SampleLine[]): Promise<void> {
  const count = Math.min(shown, samples.length);
  const chosen = Array.from({length: count}, (_, i) => samples[Math.floor((i * samples.length) / count)]!);
  const pictures = [];
  const labels: string[] = [];
  for (const {sample} of chosen) {
    for (const path of [sample.condition, sample.target]) {
      pictures.push(await fitInto(await decodeImage(join(folder, path)), pictureSide));
    }
    labels.push(sample.objectName ?? 'condition', sample.prompt);
  }
  await writeImage(join(folder, 'contact-sheet.png'), await labelledGrid(pictures, labels, columns));
}
