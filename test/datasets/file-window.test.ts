import {open, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {testProp} from '@fast-check/ava';
import fc from 'fast-check';
import {FileWindow} from '../../lib/datasets/file-window.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const size = 300_000;
const content = Buffer.from(Uint32Array.from({length: size / 4}, (_, i) => i * 2_654_435_761).buffer);
const part = fc.tuple(fc.nat({max: size + 10}), fc.oneof(fc.nat({max: 600}), fc.nat({max: 100_000})));

testProp(
  'any parts in any order are those of the file, shorter where it ends',
  [fc.array(part, {minLength: 1, maxLength: 12}), fc.boolean()],
  async (t, parts, isOrdered) => {
    const path = join(await tempFolder(t), 'file');
    await writeFile(path, content);
    const handle = await open(path, 'r');
    try {
      const file = new FileWindow(handle);
      const wanted = isOrdered ? parts.toSorted(([a], [b]) => a - b) : parts;
      for (const [position, length] of wanted) {
        t.deepEqual(
          Buffer.from(await file.read(position, length)),
          content.subarray(position, position + length),
        );
      }
    } finally {
      await handle.close();
    }
  },
  {numRuns: 50},
);
