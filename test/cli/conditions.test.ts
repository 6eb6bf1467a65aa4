import {copyFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {conditionImage, inReference} from '../_helpers/reference-paths.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const models = [
  ...['--model', inReference('model'), '--image-encoder', inReference('image_encoder')],
  ...['--adapter', inReference('ip-adapter-instruct.safetensors'), '--adapter-heads', '2'],
  ...['--named-adapter', `plus=${inReference('ip-adapter-plus.safetensors')}`],
];
const generate = [
  'generate',
  ...models,
  '--prompt',
  'a fox',
  '--steps',
  '1',
  '--width',
  '64',
  '--height',
  '64',
];

test('conditions come from a file, with paths relative to it', async t => {
  const folder = await tempFolder(t);
  await copyFile(conditionImage, join(folder, 'c.png'));
  const conditions = [
    {image: 'c.png', instruction: 'use the style', scale: 0.5, mask: 'c.png'},
    {image: ['c.png', 'c.png'], adapter: 'plus', scale: {up: {block_1: 1}}, end: 0.5},
  ];
  const file = join(folder, 'conditions.json');
  await writeFile(file, JSON.stringify(conditions));
  const output = join(folder, 'out.png');
  const {exitCode, stdout, stderr} = await runCli([
    ...generate,
    '--conditions',
    file,
    '--output',
    output,
    '--json',
  ]);
  t.is(exitCode, 0, stderr);
  t.deepEqual(JSON.parse(stdout).files, [output]);
});

test('what is no list of conditions is told', async t => {
  const folder = await tempFolder(t);
  const file = join(folder, 'conditions.json');
  for (const [text, message] of [
    ['[', /expected a JSON list of conditions/],
    ['[{"image": 7}]', /expected a JSON list of conditions: .*image/],
    ['[{"image": "c.png", "weight": 1}]', /expected a JSON list of conditions: .*weight/],
  ] as const) {
    await writeFile(file, text);
    const {exitCode, stderr} = await runCli([
      ...generate,
      '--conditions',
      file,
      '--output',
      join(folder, 'o.png'),
    ]);
    t.is(exitCode, 1);
    t.regex(stderr, message);
  }
  const missing = await runCli([...generate, '--conditions', join(folder, 'none.json')]);
  t.regex(missing.stderr, /none.json: expected a JSON file/);
});
