import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {Engine} from '../../../lib/engine/engine.ts';
import {rowsOf, splitRows} from '../../../lib/pipelines/host-tensor.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {TextCache} from '../../../lib/training/batches/text-cache.ts';

const engine = new Engine(openDevice('cpu'));

/** A stand-in for an encoder: rows of two numbers, 8 bytes. */
function countingEncoder() {
  const encoded: string[] = [];
  const encode = async (texts: readonly string[]) => {
    encoded.push(...texts);
    return {
      shape: [texts.length, 2],
      data: Float32Array.from(texts.flatMap(text => [text.length, text.charCodeAt(0)])),
    };
  };
  return {encoded, encode};
}

const texts = fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dddd', 'eeeee'), {minLength: 1, maxLength: 6});

testProp(
  'whatever is kept, rows are those of the encoder',
  [fc.array(texts, {minLength: 1, maxLength: 8}), fc.nat(40)],
  async (t, batches, maxBytes) => {
    const cache = new TextCache(engine, maxBytes);
    const {encode, encoded} = countingEncoder();
    for (const batch of batches) {
      const before = encoded.length;
      t.deepEqual(
        await cache.encode('prompt', batch, encode),
        rowsOf(splitRows(await countingEncoder().encode(batch))),
      );
      t.true(encoded.length - before <= new Set(batch).size);
    }
  },
);

test('the texts that were used last are kept, as many as there is room for', async t => {
  const cache = new TextCache(engine, 16);
  const {encode, encoded} = countingEncoder();
  for (const text of ['a', 'bb', 'a', 'ccc', 'a', 'bb']) await cache.encode('prompt', [text], encode);
  t.deepEqual(encoded, ['a', 'bb', 'ccc', 'bb']);
});

test('encoders do not share texts', async t => {
  const cache = new TextCache(engine);
  const {encode, encoded} = countingEncoder();
  for (const encoder of ['prompt', 'instruction', 'prompt']) await cache.encode(encoder, ['a'], encode);
  t.deepEqual(encoded, ['a', 'a']);
});
