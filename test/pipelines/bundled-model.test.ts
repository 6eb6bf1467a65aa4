// What lies in assets/world, apart from its pictures: that it is whole, small, and opens as users are told.
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {bundledModel} from '../../lib/pipelines/bundled-model.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';

test('the model that ships is at most 25 MB, with a card', t => {
  const {model} = bundledModel();
  const files = readdirSync(model, {recursive: true, encoding: 'utf8'}).map(name =>
    statSync(join(model, name)),
  );
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  t.log(`${(bytes / 1e6).toFixed(1)} MB`);
  t.true(bytes <= 25e6);
  t.regex(readFileSync(join(model, 'README.md'), 'utf8'), /## What it was trained on.*## Limits/s);
});

test('it makes a picture that its condition changes', async t => {
  const pipeline = await IPAdapterInstructPipeline.load(bundledModel());
  const condition = (value: number) => ({
    width: 64,
    height: 64,
    channels: 3 as const,
    data: new Uint8Array(64 * 64 * 3).fill(value),
  });
  const request = {prompt: 'a red cup', instruction: 'use the style', numInferenceSteps: 2, seed: 1};
  const meanOf = async (value: number) => {
    const {images} = await pipeline.generate({...request, ipAdapterImage: condition(value)});
    const {data, width} = images[0]!.image!;
    t.is(width, 64);
    return data.reduce((sum, part) => sum + part, 0) / data.length;
  };
  const [dark, light] = [await meanOf(10), await meanOf(245)];
  await pipeline.dispose();
  t.log(`mean of pixels ${dark.toFixed(0)} of a dark condition, ${light.toFixed(0)} of a light one`);
  t.true(light > dark + 10);
});
