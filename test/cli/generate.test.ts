import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import sharp from 'sharp';
import {blockPreset} from '../../lib/pipelines/block-presets.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {type CliResult, runCli} from '../_helpers/run-cli.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const base = [
  ...['generate', '--model', instructModel.model, '--prompt', 'a fox', '--steps', '2'],
  ...['--height', '64', '--width', '72', '--seed', '7'],
];
const adapter = [
  ...['--adapter', instructModel.adapter!, '--image-encoder', instructModel.imageEncoder!],
  ...['--adapter-heads', '2', '--ip-adapter-image', conditionImage],
];

async function succeed(t: ExecutionContext, args: readonly string[]): Promise<CliResult> {
  const result = await runCli(args);
  t.is(result.exitCode, 0, result.stderr);
  return result;
}

test('a picture is written with what it was made from, and its path printed', async t => {
  const output = join(await tempFolder(t), 'fox.png');
  const args = [...base, ...adapter, '--instruction', 'use the style', '--output', output];
  const {stdout, stderr} = await succeed(t, args);
  t.is(stdout, `${output}\n`);
  t.regex(stderr, /^memory: about .+ \(process /);
  t.regex(stderr, /\nstep 2\/2 · /);
  const {width, height, xmp} = await sharp(output).metadata();
  t.deepEqual([width, height], [72, 64]);
  const description = xmp!.toString().replaceAll('&#34;', '"');
  t.regex(description, /"instruction":\["use the style"\]/);
  t.regex(description, /"seed":7/);
});

test('several pictures are numbered; equal seeds give equal pictures', async t => {
  const folder = await tempFolder(t);
  const output = join(folder, 'x.png');
  const {stdout} = await succeed(t, [...base, '--num-images-per-prompt', '2', '--output', output, '--json']);
  const {files, seeds, timings, memory} = JSON.parse(stdout);
  t.deepEqual(files, [join(folder, 'x-0.png'), join(folder, 'x-1.png')]);
  t.deepEqual(seeds, [7, 8]);
  t.true(timings.totalSeconds > 0 && memory.estimate.totalBytes > 0 && memory.peakBytes > 0);

  await succeed(t, [...base, '--output', output]);
  const pixels = (path: string) => sharp(path).raw().toBuffer();
  t.deepEqual(await pixels(output), await pixels(files[0]));
  t.notDeepEqual(await pixels(output), await pixels(files[1]));
});

test('LoRAs with their weights change the picture, and are named in it', async t => {
  const folder = await tempFolder(t);
  const [plain, changed] = ['plain.png', 'changed.png'].map(name => join(folder, name)) as [string, string];
  await succeed(t, [...base, '--output', plain]);
  const loraOf = (name: string) => new URL(`../fixtures/lora/${name}.safetensors`, import.meta.url).pathname;
  const loras = ['--lora', loraOf('kohya'), '--lora', `${loraOf('peft')}:-0.5`];
  await succeed(t, [...base, ...loras, '--output', changed]);
  const pixels = (path: string) => sharp(path).raw().toBuffer();
  t.notDeepEqual(await pixels(changed), await pixels(plain));
  const description = (await sharp(changed).metadata()).xmp!.toString().replaceAll('&#34;', '"');
  t.regex(
    description,
    /"lora":\[\{"path":"[^"]*kohya\.safetensors"\},\{"path":"[^"]*peft\.safetensors","weight":-0\.5\}\]/,
  );

  const wrong = await runCli([...base, '--lora', `${loraOf('kohya')}:much`]);
  t.is(wrong.exitCode, 2);
  t.regex(wrong.stderr, /--lora.*Expected a number/);
});

test('latents are written as safetensors, and noise is read from it', async t => {
  const folder = await tempFolder(t);
  const output = join(folder, 'end.safetensors');
  const caseFile = inReference('cases', 'text2img_ddim.safetensors');
  await succeed(t, [
    ...['generate', '--model', instructModel.model, '--steps', '5', '--height', '64', '--width', '64'],
    ...['--prompt', 'a photo of a lighthouse at dusk, highly detailed'],
    ...['--negative-prompt', 'monochrome, lowres, bad anatomy', '--guidance-scale', '7.5'],
    ...['--latents', caseFile, '--output-type', 'latent', '--output', output],
  ]);
  const actual = readSafetensors(output)['latents']!;
  const expected = readSafetensors(caseFile)['final_latents']!;
  t.deepEqual(actual.shape, expected.shape);
  const magnitude = Math.max(...expected.data.map(Math.abs));
  const differences = expected.data.map((value, index) => Math.abs(value - actual.data[index]!));
  t.true(Math.max(...differences) <= 1e-3 * magnitude);
});

test('style alone of one picture, and the lines of another, are asked for by flags', async t => {
  const output = join(await tempFolder(t), 'end.safetensors');
  await succeed(t, [
    ...base,
    ...['--adapter', inReference('ip-adapter.safetensors'), '--image-encoder', instructModel.imageEncoder!],
    ...['--instruction-encoder', inReference('instruction_encoder'), '--ip-adapter-image', conditionImage],
    ...[
      '--neg-content-prompt',
      'a lighthouse',
      '--neg-content-scale',
      '0.5',
      '--ip-adapter-scale',
      'instantstyle:style',
    ],
    ...['--controlnet', inReference('controlnet'), '--control-image', conditionImage],
    ...['--control-preprocess', 'scribble', '--unconditional-image', 'noise'],
    ...['--output-type', 'latent', '--output', output],
  ]);
  const pipeline = await IPAdapterInstructPipeline.load({
    ...instructModel,
    adapter: inReference('ip-adapter.safetensors'),
    instructionEncoder: inReference('instruction_encoder'),
    controlNets: [inReference('controlnet')],
  });
  const {images} = await pipeline.generate({
    ...{prompt: 'a fox', numInferenceSteps: 2, height: 64, width: 72, seed: 7, outputType: 'latent'},
    ...{ipAdapterImage: conditionImage, ipAdapterScale: blockPreset('instantstyle:style')},
    ...{negContentPrompt: 'a lighthouse', negContentScale: 0.5, unconditionalImage: 'noise'},
    ...{controlImage: conditionImage, controlPreprocess: 'scribble'},
  });
  await pipeline.dispose();
  t.deepEqual(readSafetensors(output)['latents']!.data, images[0]!.latents.data);
});

test('attention maps are written beside the pictures, numbered as they are', async t => {
  const folder = await tempFolder(t);
  const [output, maps] = ['x.png', 'maps.png'].map(name => join(folder, name)) as [string, string];
  const asked = [...base, ...adapter, '--output', output, '--attention-maps', maps];
  const {stdout} = await succeed(t, [...asked, '--num-images-per-prompt', '2', '--json']);
  const {files, attentionMaps} = JSON.parse(stdout);
  t.deepEqual(files, [join(folder, 'x-0.png'), join(folder, 'x-1.png')]);
  t.deepEqual(attentionMaps, [join(folder, 'maps-0.png'), join(folder, 'maps-1.png')]);
  const {width, height} = await sharp(attentionMaps[1]).metadata();
  t.deepEqual([width, height], [8 + 4 * (72 + 8), 8 + 4 * (64 + 2 * 28 + 8)]);
});

test('--prompt-syntax weighted reads weights', async t => {
  const output = join(await tempFolder(t), 'end.safetensors');
  const prompt = 'a (red:1.4) fox BREAK in the snow';
  await succeed(t, [
    ...['generate', '--model', instructModel.model, '--prompt', prompt, '--prompt-syntax', 'weighted'],
    ...['--negative-prompt', '[blurry]', '--steps', '2', '--height', '64', '--width', '72', '--seed', '7'],
    ...['--output-type', 'latent', '--output', output],
  ]);
  const pipeline = await IPAdapterInstructPipeline.load({model: instructModel.model});
  const options = {numInferenceSteps: 2, height: 64, width: 72, seed: 7, outputType: 'latent'} as const;
  const texts = {prompt, negativePrompt: '[blurry]', promptSyntax: 'weighted'} as const;
  const {images} = await pipeline.generate({...options, ...texts});
  await pipeline.dispose();
  t.deepEqual(readSafetensors(output)['latents']!.data, images[0]!.latents.data);
});

test('--profile writes a trace of every op', async t => {
  const folder = await tempFolder(t);
  const profile = join(folder, 'trace.json');
  await succeed(t, [...base, '--output', join(folder, 'x.png'), '--profile', profile]);
  const {traceEvents} = JSON.parse(await readFile(profile, 'utf8'));
  const functions = new Set(traceEvents.map(({cat}: {cat?: string}) => cat));
  for (const name of ['text_encoder', 'unet', 'vae.decode']) t.true(functions.has(name), name);
});

for (const [what, extra, message] of [
  [
    'an output folder that is not there',
    ['--output', '/no/such/folder/x.png'],
    /'\/no\/such\/folder' does not exist/,
  ],
  ['an output ending that no writer knows', ['--output', 'x.bmp'], /output 'x\.bmp': .*\.png, \.jpg/],
  ['latents into a picture file', ['--output-type', 'latent', '--output', 'x.png'], /ends in \.safetensors/],
  [
    'attention maps of latents',
    ['--output-type', 'latent', '--output', 'x.safetensors', '--attention-maps', 'maps.png'],
    /attention-maps 'maps\.png': expected --output-type png/,
  ],
  ['attention maps without a condition', ['--attention-maps', 'maps.png'], /expected a condition image/],
  [
    'latents without their tensor',
    ['--latents', inReference('cases', 'unet.safetensors')],
    /a tensor 'latents'/,
  ],
  ['zero steps', ['--steps', '0'], /numInferenceSteps: expected an integer from 1 to 1000/],
  ['two models', ['--random', 'tiny'], /either --model or --random but received both/],
  ['a device that is not there', ['--device', 'cuda'], /device 'cuda': the CUDA library was not found/],
  ['no threads', ['--threads', '0'], /IPAI_NUM_THREADS: expected a whole number/],
] as const) {
  test(`${what} is refused, and nothing is written`, async t => {
    const cwd = await tempFolder(t);
    const {exitCode, stdout, stderr} = await runCli([...base, ...extra, '--json'], {cwd});
    t.is(exitCode, 1);
    const {error} = JSON.parse(stdout);
    t.regex(error.message, message);
    t.true(stderr.includes(error.message));
    t.false(stderr.includes('step 1/'));
    t.deepEqual(await readdir(cwd), []);
  });
}
