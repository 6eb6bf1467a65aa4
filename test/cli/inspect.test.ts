import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {conditionImage, inReference} from '../_helpers/reference-paths.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const adapters = [
  ['ip-adapter', 'classic'],
  ['ip-adapter-plus', 'plus'],
  ['ip-adapter-instruct', 'instruct'],
  ['ip-adapter-instruct-paper', 'instruct-paper'],
] as const;

for (const [name, kind] of adapters) {
  test(`inspect tells ${name} by its tensors, in both formats`, async t => {
    for (const ending of ['.safetensors', '.bin']) {
      const args = ['inspect', inReference(name + ending), '--adapter-heads', '2', '--json'];
      const {exitCode, stdout} = await runCli(args);
      t.is(exitCode, 0);
      const [report] = JSON.parse(stdout).weights;
      t.is(report.kind, `IP-Adapter, kind ${kind}`);
      t.is(report.adapter.crossAttentionDim, 32);
      t.deepEqual(Object.keys(report.dtypes), ['float16']);
      t.is(report.bytes, report.parameters * 2);
      t.is(report.tensors, undefined);
    }
  });
}

test('inspect of a diffusers folder reports each component', async t => {
  const {exitCode, stdout} = await runCli(['inspect', inReference('model')]);
  t.is(exitCode, 0);
  t.deepEqual(
    [...stdout.matchAll(/^ {2}(UNet|VAE|CLIP text model)$/gm)].map(([, kind]) => kind),
    ['CLIP text model', 'UNet', 'VAE'],
  );
});

test('inspect --tensors lists names, dtypes and shapes', async t => {
  const {stdout} = await runCli(['inspect', inReference('controlnet'), '--tensors']);
  t.regex(stdout, /^ {2}ControlNet$/m);
  t.regex(stdout, /^conv_in\.weight +float32 +\[32, 4, 3, 3\]$/m);
});

test('inspect names what is wrong with a damaged file', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'cut.safetensors');
  const whole = await readFile(inReference('ip-adapter.safetensors'));
  await writeFile(path, whole.subarray(0, whole.length - 100));
  const {exitCode, stderr} = await runCli(['inspect', path]);
  t.is(exitCode, 1);
  t.regex(stderr, /cut\.safetensors.*truncated/);
});

const planArgs = ['--random', 'tiny', '--instruction', 'use the style', '--ip-adapter-image', conditionImage];

test('inspect memory prints the plan of each program of a generation', async t => {
  const {exitCode, stdout} = await runCli(['inspect', 'memory', ...planArgs]);
  t.is(exitCode, 0);
  for (const program of ['text_encoder', 'image_encoder', 'adapter.tokens', 'unet', 'vae.decode']) {
    const head = new RegExp(`^${program}: \\d+ ops, peak .+, lower bound .+, \\d+ buffers$`, 'm');
    t.regex(stdout, head);
  }
  t.regex(stdout, /unet\.down_blocks\.0/);
});

test('inspect graph prints the graph of a program', async t => {
  const {exitCode, stdout} = await runCli(['inspect', 'graph', ...planArgs, '--program', 'unet']);
  t.is(exitCode, 0);
  // Two branches of guidance share their sample.
  t.regex(stdout, /^input sample f32\[1, 4, 16, 16\]$/m);
  t.regex(stdout, /^input textKeyValues\.0\.key f32\[2, 77, 40\]$/m);
  t.regex(stdout, /= decoupled_attention /);
  t.regex(stdout, /\nreturn %\d+\n$/);
});

test('inspect graph lists the programs that there are', async t => {
  const {exitCode, stderr} = await runCli(['inspect', 'graph', '--random', 'tiny', '--program', 'vae']);
  t.is(exitCode, 1);
  t.regex(stderr, /expected one of text_encoder, .*vae\.decode but received 'vae'/);
});
