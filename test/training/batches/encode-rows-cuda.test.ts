/**
 * Encoding on a CUDA device, emulated or real.
 */
import test from 'ava';
import {splitRows} from '../../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {encodeRows} from '../../../lib/training/batches/encode-rows.ts';
import {anyCuda} from '../../_helpers/emulated-cuda.ts';

Object.assign(process.env, anyCuda);
const {textEncoder, engine} = (await IPAdapterInstructPipeline.random({device: 'cuda'})).models;

test('texts have the same bits whatever they are encoded with', async t => {
  const texts = ['a lighthouse by the sea', '', 'use the style', 'a cactus', 'a boat at dusk'];
  const encode = (some: readonly string[]) =>
    encodeRows(engine, some, async group => splitRows(await textEncoder.encode(group, 0)), 3);
  const together = await encode(texts);
  t.is(together.length, texts.length);
  for (const [index, text] of texts.entries()) t.deepEqual((await encode([text]))[0], together[index], text);
});
