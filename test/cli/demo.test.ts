import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

/** Cells of 256 pixels with two lines of caption, and 8 between them. */
const sizeOf = (columns: number, rows: number) => [8 + columns * (256 + 8), 8 + rows * (256 + 56 + 8)];

test('the demo writes a grid: two conditions, and what is taken from each under four instructions', async t => {
  const output = join(await tempFolder(t), 'new', 'grid.png');
  const {exitCode, stdout, stderr} = await runCli(['demo', '--output', output]);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /drawn world.*8 pictures/s);
  t.true(stdout.trimEnd().endsWith(output));
  const {width, height} = await sharp(output).metadata();
  t.deepEqual([width, height], sizeOf(5, 2));
});

test('of a given image, it shows what each instruction takes', async t => {
  const folder = await tempFolder(t);
  const [image, output] = [join(folder, 'image.png'), join(folder, 'grid.png')];
  await sharp({create: {width: 90, height: 60, channels: 3, background: 'teal'}}).toFile(image);
  const instructions = ['use the style', 'use the face'].flatMap(text => ['--instruction', text]);
  const args = ['demo', '--image', image, '--prompt', 'a red cup', ...instructions, '--output', output];
  const {exitCode, stderr} = await runCli(args);
  t.is(exitCode, 0, stderr);
  const {width, height} = await sharp(output).metadata();
  t.deepEqual([width, height], sizeOf(3, 1));
});
