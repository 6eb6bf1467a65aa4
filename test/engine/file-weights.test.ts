import {utimes} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {FileError} from '../../lib/errors.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

test('weights are told from others by their file, its size and its time of change', async t => {
  const folder = await tempFolder(t);
  const weightsIn = async (name: string, values: readonly number[]) => {
    const path = join(folder, name);
    const data = Float32Array.from(values);
    await writeSafetensors(path, new Map([['a', {shape: [data.length], dtype: 'float32' as const, data}]]));
    return new FileWeights('vae', (await openWeights(path)).tensors);
  };
  const first = await weightsIn('first.safetensors', [1, 2]);
  const identity = await first.identity();
  t.is(await first.identity(), identity);
  t.not(await (await weightsIn('second.safetensors', [1, 2])).identity(), identity);
  t.not(await (await weightsIn('first.safetensors', [1, 2, 3])).identity(), identity);
  const changed = await weightsIn('first.safetensors', [1, 3]);
  await utimes(join(folder, 'first.safetensors'), 1, 1);
  t.not(await changed.identity(), identity);
});

test('weights whose file has gone are told', async t => {
  const stored = {
    name: 'a',
    shape: [1],
    dtype: 'float32' as const,
    file: '/none.safetensors',
    byteOffset: 0,
    byteLength: 4,
  };
  await t.throwsAsync(new FileWeights('vae', new Map([['a', stored]])).identity(), {instanceOf: FileError});
});
