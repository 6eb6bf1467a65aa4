import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import sharp from 'sharp';
import {tempFolder} from './temp-folder.ts';

const tasks = ['style', 'face'];

/** A training set of two tasks of three samples, with instructions; `bad` names pictures that are none. */
export async function writeTrainingSet(t: ExecutionContext, bad: readonly number[] = []): Promise<string> {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'instructions'));
  const lines: string[] = [];
  for (let i = 0; i < 6; i++) {
    const color = {r: 40 * i, g: 255 - 40 * i, b: 20};
    const picture = await sharp({create: {width: 32, height: 32, channels: 3, background: color}})
      .png()
      .toBuffer();
    await writeFile(join(folder, `${i}.png`), bad.includes(i) ? picture.subarray(0, 40) : picture);
    const sample = {target: `${i}.png`, condition: `${i}.png`, prompt: `colour ${i}`, task: tasks[i % 2]};
    lines.push(JSON.stringify(sample));
  }
  for (const task of tasks) {
    await writeFile(join(folder, 'instructions', `${task}.txt`), `use the ${task}\ntake the ${task}`);
  }
  await writeFile(join(folder, 'manifest.jsonl'), lines.join('\n'));
  return folder;
}
