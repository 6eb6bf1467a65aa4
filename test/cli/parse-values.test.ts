import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {collectLoras} from '../../lib/cli/options/parse-values.ts';

test('--lora takes a file, and a weight after its last colon', t => {
  const files = ['a.safetensors', 'b.safetensors:0.5', 'C:\\loras\\c.safetensors', 'D:/d:e.bin:-1'];
  const loras = files.reduce<ReturnType<typeof collectLoras>>((all, file) => collectLoras(file, all), []);
  t.deepEqual(loras, [
    {path: 'a.safetensors'},
    {path: 'b.safetensors', weight: 0.5},
    {path: 'C:\\loras\\c.safetensors'},
    {path: 'D:/d:e.bin', weight: -1},
  ]);
  for (const text of ['a.safetensors:', 'a.safetensors:much']) {
    t.throws(() => collectLoras(text, undefined), {instanceOf: InvalidArgumentError});
  }
});
