import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

test('the demo writes a grid, and says that its weights are random', async t => {
  const output = join(await tempFolder(t), 'new', 'grid.png');
  const args = [
    'demo',
    '--instruction',
    'use the style',
    '--instruction',
    'use the face',
    '--output',
    output,
  ];
  const {exitCode, stdout, stderr} = await runCli(args);
  t.is(exitCode, 0, stderr);
  t.regex(stdout, /random weights/);
  t.true(stdout.trimEnd().endsWith(output));
  const {width, height} = await sharp(output).metadata();
  // The condition image and two pictures of 256 pixels in a row, captions below.
  t.deepEqual([width, height], [8 + 3 * (256 + 8), 8 + 256 + 28 + 8]);
});
