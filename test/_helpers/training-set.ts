import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import sharp from 'sharp';
import {tempFolder} from './temp-folder.ts';

const tasks = ['style', 'face'];

interface TrainingSetOptions {
  /** Samples whose pictures are cut off. */
  readonly bad?: readonly number[];
  /** Of the pictures, in turn. */
  readonly sizes?: readonly (readonly [width: number, height: number])[];
}

/** A folder with two tasks of three samples, in turn, each with one picture as target and condition, and instructions. */
export async function writeTrainingSet(
  t: ExecutionContext,
  {bad = [], sizes = [[32, 32]]}: TrainingSetOptions = {},
): Promise<string> {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'instructions'));
  const lines: string[] = [];
  for (let i = 0; i < 6; i++) {
    const [width, height] = sizes[i % sizes.length]!;
    const data = Uint8Array.from({length: width * height * 3}, (_, at) => 40 * i + ((at * 7) % 50));
    const picture = await sharp(data, {raw: {width, height, channels: 3}})
      .png()
      .toBuffer();
    await writeFile(join(folder, `${i}.png`), bad.includes(i) ? picture.subarray(0, 40) : picture);
    const sample = {target: `${i}.png`, condition: `${i}.png`, prompt: `colour ${i}`, task: tasks[i % 2]};
    lines.push(JSON.stringify(sample));
  }
  for (const task of tasks) {
    await writeFile(join(folder, `instructions/${task}.txt`), `use the ${task}\ntake the ${task}`);
  }
  await writeFile(join(folder, 'manifest.jsonl'), lines.join('\n'));
  return folder;
}
