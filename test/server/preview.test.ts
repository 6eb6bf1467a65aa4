import test from 'ava';
import sharp from 'sharp';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {linearPreview, previewPng} from '../../lib/server/preview.ts';

test('a preview of linear factors has a pixel for each latent, grey for none', t => {
  const data = new Float32Array(4 * 2 * 3);
  const first = linearPreview({shape: [1, 4, 2, 3], data});
  t.deepEqual([first.width, first.height], [3, 2]);
  t.true(first.data.every(value => value === 128));
  // The first channel at the last pixel: its colour there, and nowhere else.
  data[5] = 1;
  const second = linearPreview({shape: [1, 4, 2, 3], data});
  t.deepEqual(
    [...second.data.slice(-3)],
    [0.298, 0.207, 0.208].map(factor => Math.round((factor / 2 + 0.5) * 255)),
  );
  t.true(second.data.slice(0, -3).every(value => value === 128));
});

test('latents of another autoencoder are decoded', async t => {
  const pipeline = await IPAdapterInstructPipeline.random();
  const {vae} = pipeline.models;
  const shape = [1, vae.config.latentChannels, 4, 4];
  const png = await previewPng(vae, {shape, data: new Float32Array(shape.reduce((a, b) => a * b))});
  t.is((await sharp(png).metadata()).width, 4 * vae.scaleFactor);
  await pipeline.dispose();
});
