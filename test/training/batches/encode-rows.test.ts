import test from 'ava';
import type {Engine} from '../../../lib/engine/engine.ts';
import {type HostTensor, splitRows, stackRows} from '../../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';
import {encodeTargets} from '../../../lib/training/batches/encode-pictures.ts';
import {encodeRows} from '../../../lib/training/batches/encode-rows.ts';

const {models} = await IPAdapterInstructPipeline.random({adapter: 'instruct', device: 'cpu'});
const {textEncoder, engine} = models;
const {imageEncoder, adapter} = models.adapter!;

test('texts and pictures have the bits that they have alone, however many are encoded together', async t => {
  const encodeTexts = (texts: readonly string[]) => textEncoder.encode(texts, 0);
  const texts = ['a lighthouse by the sea', '', 'use the style', 'a cactus', 'a boat at dusk'];
  const generator = new TorchGenerator(1);
  const encodePictures = (pictures: readonly HostTensor[]) =>
    imageEncoder.encode(stackRows(pictures), adapter.features);
  const pictures = texts.map(() => ({shape: [1, 3, 224, 224], data: generator.randn([3, 224, 224])}));
  for (const count of [0, 1, 2, 5]) {
    const rows = await encodeRows(engine, texts.slice(0, count), async some =>
      splitRows(await encodeTexts(some)),
    );
    t.is(rows.length, count);
    for (const [index, row] of rows.entries()) t.deepEqual(row, await encodeTexts([texts[index]!]));
    const features = await encodeRows(engine, pictures.slice(0, count), async some =>
      splitRows(await encodePictures(some)),
    );
    for (const [index, row] of features.entries()) t.deepEqual(row, await encodePictures([pictures[index]!]));
  }
});

test('on CUDA, where the number of rows decides about their last bits, each run has as many', async t => {
  const runs: number[][] = [];
  const encode = async (inputs: readonly number[]) => {
    runs.push([...inputs]);
    return inputs.map(input => 10 * input);
  };
  const onCuda = {device: {kind: 'cuda'}} as Engine;
  t.deepEqual(await encodeRows(onCuda, [3, 1, 2], encode, 2), [30, 10, 20]);
  t.deepEqual(runs, [
    [3, 1],
    [2, 2],
  ]);
  t.deepEqual(await encodeRows(onCuda, [], encode), []);
  t.deepEqual(await encodeRows(onCuda, [4], encode), [40]);
  t.deepEqual(runs.slice(2), [[4, 4, 4, 4, 4, 4, 4, 4]]);
});

test('targets have the latents that they have alone, whether the autoencoder is given one or several', async t => {
  const {vae} = models;
  const generator = new TorchGenerator(2);
  const targets = Array.from({length: 5}, () => ({
    pixels: {shape: [1, 3, 64, 64], data: generator.rand([3, 64, 64]).map(x => 2 * x - 1)},
    entry: undefined,
  }));
  const latents = await encodeTargets(vae, targets, {});
  for (const [index, {pixels}] of targets.entries()) t.deepEqual(latents[index], await vae.encode(pixels));
});
