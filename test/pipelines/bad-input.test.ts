/**
 * Bad input gets a clear error, and never ends the process: what a user may hand to a pipeline, one test each. What the
 * command line adds (output paths, Ctrl-C) is in test/cli.
 */
import {cp, mkdir, readdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import sharp, {type Sharp} from 'sharp';
import {ArgumentError, FileError, NumericError, WeightsError} from '../../lib/errors.ts';
import {writeImage} from '../../lib/images/write-image.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';
import {learnVocabulary} from '../../lib/tokenizer/learn-vocabulary.ts';
import type {TokenizerFiles} from '../../lib/tokenizer/tokenizer-files.ts';
import {writeTokenizerFiles} from '../../lib/tokenizer/write-tokenizer-files.ts';
import {type TensorData, writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {call, op, pickle, torchFile} from '../_helpers/torch-file.ts';

const {load} = IPAdapterInstructPipeline;

/** Loads the tiny model with some options changed, and hands over the error. */
async function loadError(t: ExecutionContext, options: Partial<LoadOptions>): Promise<Error> {
  const error = await t.throwsAsync(load({...instructModel, ...options}));
  return error!;
}

/** The whole tiny model in a folder of its own, linked, so that single files of it can be replaced. */
async function copyOfModel(t: ExecutionContext): Promise<string> {
  const folder = await tempFolder(t);
  for (const part of await readdir(inReference('model'), {withFileTypes: true})) {
    if (!part.isDirectory()) continue;
    await mkdir(join(folder, part.name));
    for (const file of await readdir(inReference('model', part.name))) {
      await symlink(inReference('model', part.name, file), join(folder, part.name, file));
    }
  }
  return folder;
}

let shared: Promise<IPAdapterInstructPipeline> | undefined;

/** One pipeline for all tests that only generate. */
function pipeline(): Promise<IPAdapterInstructPipeline> {
  shared ??= load(instructModel);
  return shared;
}

test.after.always(async () => (await shared)?.dispose());

const small = {prompt: 'a fox', numInferenceSteps: 1, height: 64, width: 64, seed: 0} as const;

async function generateError(t: ExecutionContext, options: Partial<GenerateOptions>): Promise<Error> {
  const pipe = await pipeline();
  return (await t.throwsAsync(pipe.generate({...small, ...options})))!;
}

// Weights

test('options without a model are refused, a bare path too', async t => {
  for (const options of ['models/stable-diffusion', undefined, {}, {model: 3}]) {
    await t.throwsAsync(load(options as LoadOptions), {
      instanceOf: ArgumentError,
      message: /load: expected options with the base model's path/,
    });
  }
});

test('a missing model or weight file is named', async t => {
  const nothing = await loadError(t, {model: '/no/such/model'});
  t.true(nothing instanceof FileError);
  t.regex(nothing.message, /\/no\/such\/model/);

  const model = await copyOfModel(t);
  await cp(inReference('model', 'vae', 'config.json'), join(model, 'other', 'config.json'));
  const noWeights = await loadError(t, {model, vae: join(model, 'other')});
  t.true(noWeights instanceof FileError);
  t.regex(noWeights.message, /other: expected one of diffusion_pytorch_model\.safetensors/);
});

test('a tokenizer of another model is named; a smaller one will do', async t => {
  const own = await learnVocabulary(['a fox', 'a fox'], {size: 600});
  const tooLarge = new Map([...own.vocabulary, ['<|endoftext|>', 50_000]] as const);
  const cases: [files: TokenizerFiles, message: RegExp][] = [
    [{...own, vocabulary: tooLarge}, /ids below 49408 .* got special tokens up to 50000/],
    [{...own, modelMaxLength: 78}, /texts of at most 77 tokens.* texts of 78/],
  ];
  for (const [files, message] of cases) {
    const folder = await tempFolder(t);
    await writeTokenizerFiles(folder, files);
    const error = await loadError(t, {tokenizer: folder});
    t.true(error instanceof FileError);
    t.regex(error.message, message);
  }
  const folder = await tempFolder(t);
  await writeTokenizerFiles(folder, {...own, modelMaxLength: 20});
  const pipe = await load({...instructModel, tokenizer: folder});
  t.teardown(() => pipe.dispose());
  const {images} = await pipe.generate({...small, ipAdapterImage: conditionImage, instruction: 'a fox'});
  t.is(images.length, 1);
});

test('a truncated weight file is named, with what to do', async t => {
  const whole = await readFile(instructModel.adapter!);
  for (const [ending, length] of [
    ['.safetensors', whole.length - 4],
    ['.safetensors', 5],
    ['.bin', 3000],
  ] as const) {
    const adapter = join(await tempFolder(t), `cut${ending}`);
    const source = await readFile(inReference(`ip-adapter-instruct${ending}`));
    await writeFile(adapter, source.subarray(0, length));
    const error = await loadError(t, {adapter});
    t.true(error instanceof FileError, error.message);
    t.true(error.message.includes(adapter));
  }
});

/** Changes the header of a safetensors file and leaves its data alone. */
async function withHeader(
  t: ExecutionContext,
  change: (header: Record<string, {data_offsets: [number, number]; shape: number[]}>) => void,
): Promise<string> {
  const bytes = await readFile(inReference('ip-adapter.safetensors'));
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, end));
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(await tempFolder(t), 'lies.safetensors');
  await writeFile(path, Buffer.concat([length, json, bytes.subarray(end)]));
  return path;
}

test('a header that lies about sizes, or lets tensors overlap, is refused', async t => {
  const name = 'image_proj.proj.weight';
  const tooLarge = await withHeader(t, header => header[name]!.shape.push(1000));
  const lie = await loadError(t, {adapter: tooLarge});
  t.true(lie instanceof FileError);
  t.regex(lie.message, /image_proj\.proj\.weight/);

  const overlapping = await withHeader(t, header => {
    const [begin, end] = header[name]!.data_offsets;
    header[name]!.data_offsets = [begin - 2, end - 2];
  });
  const overlap = await loadError(t, {adapter: overlapping});
  t.true(overlap instanceof FileError);
  t.regex(overlap.message, /overlap|hole/);
});

test('a .bin that calls what is not on the allow-list is refused, and runs nothing', async t => {
  const adapter = join(await tempFolder(t), 'evil.bin');
  const marker = join(await tempFolder(t), 'was-here');
  await writeFile(adapter, torchFile(pickle(call('os', 'system', op.text(`touch ${marker}`)))));
  const error = await loadError(t, {adapter});
  t.true(error instanceof FileError);
  t.regex(error.message, /evil\.bin.*os\.system/s);
  t.deepEqual(await readdir(join(marker, '..')), []);
});

test('a config that does not fit the weights lists every tensor', async t => {
  const model = await copyOfModel(t);
  const config = JSON.parse(await readFile(inReference('model', 'vae', 'config.json'), 'utf8'));
  const other = join(model, 'other');
  await mkdir(other);
  await writeFile(join(other, 'config.json'), JSON.stringify({...config, layers_per_block: 2}));
  const weights = 'diffusion_pytorch_model.safetensors';
  await symlink(inReference('model', 'vae', weights), join(other, weights));
  const error = await loadError(t, {model, vae: other});
  t.true(error instanceof WeightsError);
  t.regex(error.message, /missing:\n/);
  for (const block of [0, 1, 2, 3]) {
    t.true(error.message.includes(`encoder.down_blocks.${block}.resnets.1.conv1.weight`), `block ${block}`);
  }
});

/** Names, shapes and dtypes of an IP-Adapter; all values are zero. */
async function emptyAdapter(
  t: ExecutionContext,
  {imageWidth, crossAttentionDim}: {imageWidth: number; crossAttentionDim: number},
): Promise<string> {
  const zeros = (...shape: number[]): TensorData => ({
    shape,
    dtype: 'float32',
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
  });
  const tensors = new Map([
    ['image_proj.proj.weight', zeros(4 * crossAttentionDim, imageWidth)],
    ['image_proj.proj.bias', zeros(4 * crossAttentionDim)],
    ['image_proj.norm.weight', zeros(crossAttentionDim)],
    ['image_proj.norm.bias', zeros(crossAttentionDim)],
  ]);
  for (let layer = 0; layer < 10; layer++) {
    const channels = [32, 64, 64, 64, 64, 64, 64, 32, 32, 64][layer]!;
    tensors.set(`ip_adapter.${2 * layer + 1}.to_k_ip.weight`, zeros(channels, crossAttentionDim));
    tensors.set(`ip_adapter.${2 * layer + 1}.to_v_ip.weight`, zeros(channels, crossAttentionDim));
  }
  const path = join(await tempFolder(t), 'adapter.safetensors');
  await writeSafetensors(path, tensors);
  return path;
}

test('an adapter for another base model is refused', async t => {
  const adapter = await emptyAdapter(t, {imageWidth: 40, crossAttentionDim: 48});
  const error = await loadError(t, {adapter});
  t.true(error instanceof WeightsError);
  t.regex(error.message, /text of 32 channels, as the UNet, got 48\. It belongs to another base model/);
});

test('on a wrong image encoder the right one is named', async t => {
  const adapter = await emptyAdapter(t, {imageWidth: 1024, crossAttentionDim: 32});
  const error = await loadError(t, {adapter});
  t.true(error instanceof WeightsError);
  t.regex(error.message, /pooled embeddings of 1024 channels.*got 40.*ViT-H/);
});

// Pictures

test('a file that is no picture is named', async t => {
  const error = await generateError(t, {ipAdapterImage: inReference('cases.json')});
  t.true(error instanceof FileError);
  t.regex(error.message, /ipAdapterImage '.*cases\.json'/);
});

const plain = (width: number, height: number, channels: 3 | 4 = 3): Sharp => {
  const color = {r: 200, g: 100, b: 50, alpha: 0.5};
  return sharp({create: {width, height, channels, background: color}});
};

for (const [what, encode] of [
  ['of one pixel', () => plain(1, 1).png()],
  ['in CMYK', () => plain(40, 30).toColourspace('cmyk').jpeg()],
  ['of 16 bits', () => plain(40, 30).toColourspace('rgb16').png()],
  ['with alpha', () => plain(40, 30, 4).png()],
] as const) {
  test(`a condition image ${what} is taken`, async t => {
    const pipe = await pipeline();
    const {images} = await pipe.generate({...small, ipAdapterImage: await encode().toBuffer()});
    t.true(images[0]!.latents.data.every(Number.isFinite));
  });
}

test('of an animation the first frame is used, with a warning', async t => {
  const frame = (color: string) =>
    sharp({create: {width: 16, height: 16, channels: 3, background: color}})
      .png()
      .toBuffer();
  const frames = sharp([await frame('red'), await frame('blue')], {join: {animated: true}});
  const warnings: string[] = [];
  const pipe = await pipeline();
  const ipAdapterImage = await frames.gif().toBuffer();
  await pipe.generate({...small, ipAdapterImage, onWarning: warning => warnings.push(warning)});
  t.deepEqual(warnings, ['ipAdapterImage: of 2 frames only the first is used.']);
});

// Texts and numbers

test('a prompt longer than 77 tokens is cut, and the warning says what is cut', async t => {
  const warnings: string[] = [];
  const pipe = await pipeline();
  const prompt = `${'very '.repeat(75)}red fox`;
  const long = await pipe.generate({...small, prompt, onWarning: warning => warnings.push(warning)});
  t.is(warnings.length, 1);
  t.regex(warnings[0]!, /77 tokens.*75.*'red fox'/);
  const cut = await pipe.generate({...small, prompt: 'very '.repeat(75)});
  t.deepEqual(long.images[0]!.latents, cut.images[0]!.latents);
});

test('empty prompts and control characters are texts like others', async t => {
  const pipe = await pipeline();
  for (const prompt of ['', '\u0000\u0007 fox \u001b[31m\r\n\ufeff']) {
    const {images} = await pipe.generate({...small, prompt, ipAdapterImage: conditionImage, instruction: ''});
    t.true(images[0]!.latents.data.every(Number.isFinite));
  }
});

for (const [what, options, message] of [
  ['a height that is no multiple of 8', {height: 60}, /height: .*multiple of 8.*60/],
  ['a width of zero', {width: 0}, /width: .*multiple of 8.*0/],
  ['zero steps', {numInferenceSteps: 0}, /numInferenceSteps: .*0/],
  ['negative steps', {numInferenceSteps: -4}, /numInferenceSteps: .*-4/],
  ['half a step', {numInferenceSteps: 1.5}, /numInferenceSteps: .*1\.5/],
  ['a prompt that is no text', {prompt: 7 as unknown as string}, /prompt: expected a string .*7/],
  ['lists of different lengths', {prompt: ['a', 'b', 'c'], seed: [1, 2]}, /seed: .*3.*2/],
  ['a guidance scale of NaN', {guidanceScale: Number.NaN}, /guidanceScale: expected a finite number/],
  ['a negative seed', {seed: -1}, /seed: .*-1/],
  ['an unknown scheduler', {scheduler: 'fast'}, /scheduler: expected one of ddim/],
  ['a strength above 1', {image: conditionImage, strength: 1.5}, /strength: .*1\.5/],
  ['a mask without a picture', {maskImage: conditionImage}, /maskImage: expected an image/],
  ['a control picture without a ControlNet', {controlImage: conditionImage}, /controlImage: expected 0/],
  ['an instruction without a picture', {instruction: 'use the style'}, /expected an ipAdapterImage/],
  ['latents of another size', {latents: new Float32Array(5)}, /latents: .*256.*5/],
] as const) {
  test(`${what} is refused before anything runs`, async t => {
    const events: string[] = [];
    const onProgress = ({type}: {type: string}) => events.push(type);
    const error = await generateError(t, {...options, onProgress});
    t.true(error instanceof ArgumentError, String(error));
    t.regex(error.message, message);
    t.false(events.includes('step'));
  });
}

test('latents that are not finite are refused', async t => {
  const latents = new Float32Array(256).fill(1);
  latents[17] = Number.NaN;
  const error = await generateError(t, {latents});
  t.true(error instanceof NumericError);
  t.regex(error.message, /latents: expected finite values, got NaN at index 17/);
});

// Ends

test('an aborted generation rejects with the reason, and the pipeline stays usable', async t => {
  const pipe = await pipeline();
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({type}: {type: string}) => type === 'step' && controller.abort(reason);
  const run = pipe.generate({...small, numInferenceSteps: 50, signal: controller.signal, onProgress});
  t.is(await t.throwsAsync(run), reason);
  t.is((await pipe.generate(small)).images.length, 1);
});

test('on a full disk writing fails with an error and leaves no partial file', async t => {
  const folder = await tempFolder(t);
  const picture = {width: 8, height: 8, data: new Uint8Array(8 * 8 * 3)};
  const path = join(folder, 'x.safetensors');
  // A device that is always full stands in for the file that is written beside the target.
  await symlink('/dev/full', `${path}.partial-${process.pid}`);
  const tensors = new Map([['x', {shape: [64], dtype: 'float32', data: new Float32Array(64)} as const]]);
  const full = await t.throwsAsync(writeSafetensors(path, tensors), {instanceOf: FileError});
  t.regex(full.message, /no space left/);

  const missing = join(folder, 'missing', 'x.png');
  await t.throwsAsync(writeImage(missing, picture), {instanceOf: FileError, message: /x\.png.*ENOENT/});
  t.deepEqual(await readdir(folder), []);
});
