import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {canonicalAdapterTensors} from '../../lib/weights/adapter-names.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

async function valuesOf(path: string): Promise<Map<string, {shape: readonly number[]; data: Float32Array}>> {
  const values = new Map();
  for (const [name, tensor] of canonicalAdapterTensors(await openWeights(path))) {
    values.set(name, {shape: tensor.shape, data: await readTensor(tensor)});
  }
  return values;
}

const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

test('to .bin and back: names, shapes and values stay', async t => {
  const folder = await tempFolder(t);
  const source = inReference('ip-adapter-instruct.safetensors');
  const [bin, back] = [join(folder, 'adapter.bin'), join(folder, 'adapter.safetensors')];
  for (const [from, to] of [
    [source, bin],
    [bin, back],
  ] as const) {
    const {exitCode, stdout, stderr} = await runCli(['convert', from, to, '--adapter-heads', '2']);
    t.is(exitCode, 0, stderr);
    t.regex(stdout, /: instruct, \d+ tensors\n$/);
  }
  const expected = sorted(await valuesOf(source));
  t.deepEqual(sorted(await valuesOf(bin)), expected);
  t.deepEqual(sorted(await valuesOf(back)), expected);
});

test('what a training script leaves gets the published names, in half the bytes where that is asked for', async t => {
  const folder = await tempFolder(t);
  const source = inReference('ip-adapter.safetensors');
  const tensors = await valuesOf(source);
  const left = new Map(
    [...tensors].map(([name, tensor]) => [
      name.replace('image_proj.', 'image_proj_model.').replace('ip_adapter.', 'adapter_modules.'),
      {...tensor, dtype: 'float32' as const},
    ]),
  );
  await writeSafetensors(join(folder, 'model.safetensors'), left);
  const output = join(folder, 'adapter.bin');
  const {exitCode, stderr} = await runCli([
    'convert',
    ...[join(folder, 'model.safetensors'), output, '--dtype', 'float16'],
  ]);
  t.is(exitCode, 0, stderr);
  const {tensors: written} = await openWeights(output);
  t.true([...written.values()].every(({dtype}) => dtype === 'float16'));
  for (const [name, {data}] of await valuesOf(output)) {
    t.true(relativeError(data, tensors.get(name)!.data) < 1e-3, name);
  }
});

test('no adapter, and an ending that is none, are refused; what was there stays', async t => {
  const folder = await tempFolder(t);
  const output = join(folder, 'adapter.bin');
  await writeFile(output, 'before');
  const unet = inReference('model', 'unet', 'diffusion_pytorch_model.safetensors');
  const refused = await runCli(['convert', unet, output]);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /expected an IP-Adapter/);
  t.is(await readFile(output, 'utf8'), 'before');
  const ending = await runCli(['convert', unet, join(folder, 'adapter.pt')]);
  t.regex(ending.stderr, /expected a path that ends in \.safetensors or \.bin/);
});
