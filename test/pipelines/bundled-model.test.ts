// What lies in assets/world, apart from its pictures: that it is whole, small, and opens as users are told.
import {readdirSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import type {Factors} from '../../lib/datasets/world/factors.ts';
import {renderPicture} from '../../lib/datasets/world/render.ts';
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

/** A scene, in a style that is dark or light. */
const scene = (style: 'neon' | 'watercolour'): Factors => ({
  type: 'scene',
  object: {kind: 'teapot', color: 'red'},
  layout: {name: 'centre', horizon: 0.5, scale: 1, shift: 0, light: 0.5},
  background: 'hills',
  style: {name: style, palette: 0},
});

test('a picture takes its style from the condition', async t => {
  const pipeline = await IPAdapterInstructPipeline.load(bundledModel());
  const meanOf = async (style: 'neon' | 'watercolour') => {
    const {images} = await pipeline.generate({
      prompt: 'a red cup by the sea',
      instruction: 'use the style',
      ipAdapterImage: {...(await renderPicture(scene(style), 64)), channels: 3},
      ipAdapterScale: 1,
      guidanceScale: 3.5,
      numInferenceSteps: 10,
      seed: 1,
    });
    const {data, width} = images[0]!.image!;
    t.is(width, 64);
    return data.reduce((sum, part) => sum + part, 0) / data.length;
  };
  const [dark, light] = [await meanOf('neon'), await meanOf('watercolour')];
  await pipeline.dispose();
  t.log(`mean of pixels ${dark.toFixed(0)} as neon, ${light.toFixed(0)} as watercolour`);
  t.true(light > dark + 50);
});
