import {cp, mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {anyCuda} from '../_helpers/emulated-cuda.ts';
import {inReference, referenceFolder} from '../_helpers/reference-paths.ts';
import {runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

interface Case {
  readonly name: string;
  readonly kind: string;
}

/** A folder with some of the reference cases, and the models that are named; tensors may be written over. */
async function partOfReference(
  t: ExecutionContext,
  names: readonly string[],
  parts: readonly string[],
  extra: readonly Case[] = [],
): Promise<string> {
  const folder = await tempFolder(t);
  const {config, cases} = JSON.parse(await readFile(inReference('cases.json'), 'utf8'));
  const chosen = (cases as Case[]).filter(({name}) => names.includes(name));
  await writeFile(join(folder, 'cases.json'), JSON.stringify({config, cases: [...chosen, ...extra]}));
  await mkdir(join(folder, 'cases'));
  for (const {name} of chosen) {
    const file = join('cases', `${name}.safetensors`);
    await cp(inReference(file), join(folder, file));
  }
  for (const part of parts) await symlink(join(referenceFolder, part), join(folder, part));
  return folder;
}

test('one case of each group passes, adapters in both formats', async t => {
  const names = [
    'clip_text',
    'vae',
    'instruct_object',
    'controlnet_instruct_style',
    'img2img',
    'torch_randn',
  ];
  const parts = ['model', 'image_encoder', 'controlnet', 'condition.png', 'ip-adapter-instruct.bin'];
  const folder = await partOfReference(t, names, [...parts, 'ip-adapter-instruct.safetensors']);
  await cp(
    inReference('cases', 'controlnet_image.safetensors'),
    join(folder, 'cases', 'controlnet_image.safetensors'),
  );
  const {exitCode, stdout} = await runCli(['check-reference', folder]);
  t.is(exitCode, 0, stdout);
  t.is(stdout.trimEnd().split('\n').at(-1), '6 passed, 0 failed');
  t.regex(stdout, /^instruct_object +pipeline +\d\.\de-\d +1\.0e-3 {2}passed$/m);
});

test('cases in float32 on a CUDA device, emulated or real, are held to the same tolerances', async t => {
  const parts = ['model', 'image_encoder', 'condition.png', 'ip-adapter-instruct.safetensors'];
  const folder = await partOfReference(t, ['unet', 'instruct_style'], parts);
  const args = ['check-reference', folder, '--device', 'cuda', '--dtype', 'float32'];
  const {exitCode, stdout} = await runCli(args, {env: anyCuda});
  t.is(exitCode, 0, stdout);
  t.regex(stdout, /^instruct_style +pipeline +\d\.\de-\d +1\.0e-3 {2}passed$/m);
  t.is(stdout.trimEnd().split('\n').at(-1), '2 passed, 0 failed');
});

test('a wrong number fails its case alone, with the output that is wrong', async t => {
  const folder = await partOfReference(t, ['scheduler_ddim_4', 'scheduler_euler_4'], ['model']);
  const file = join(folder, 'cases', 'scheduler_ddim_4.safetensors');
  const bytes = await readFile(file);
  // The last tensor of the file, the trajectory, ends with its last value.
  bytes.writeFloatLE(bytes.readFloatLE(bytes.length - 4) + 0.01, bytes.length - 4);
  await writeFile(file, bytes);
  const {exitCode, stdout} = await runCli(['check-reference', folder]);
  t.is(exitCode, 1);
  t.regex(stdout, /^scheduler_ddim_4 .*failed \(\w+\)$/m);
  t.regex(stdout, /^scheduler_euler_4 .*passed$/m);
  t.regex(stdout, /\n1 passed, 1 failed\n$/);
});

test('what a case needs and is not there fails that case, with the reason', async t => {
  const extra = [
    {name: 'dream', kind: 'video'},
    {name: 'lost', kind: 'torch_randn'},
  ];
  const names = ['ip_adapter', 'instruction_encoder', 'torch_randn'];
  const folder = await partOfReference(t, names, ['model'], extra);
  const {exitCode, stdout} = await runCli(['check-reference', folder]);
  t.is(exitCode, 1);
  t.regex(stdout, /^ip_adapter .*failed \(.*expected ip-adapter\.safetensors or ip-adapter\.bin/m);
  t.regex(stdout, /^instruction_encoder .*failed \(.*instruction_encoder/m);
  t.regex(stdout, /^dream .*failed \(kind: expected one of clip_text, .*got 'video'\.\)$/m);
  t.regex(stdout, /^lost .*failed \(.*lost\.safetensors/m);
  t.regex(stdout, /\n1 passed, 4 failed\n$/);
});

test('a folder without cases is an error', async t => {
  const folder = await partOfReference(t, [], []);
  const none = await runCli(['check-reference', folder]);
  t.is(none.exitCode, 1);
  t.regex(none.stderr, /expected at least one case/);
  const missing = await runCli(['check-reference', join(folder, 'cases')]);
  t.is(missing.exitCode, 1);
  t.regex(missing.stderr, /cases\.json: expected the list of reference cases/);
});
