/**
 * Pictures of prompts with weights and of more than 77 tokens.
 */
import {readFile} from 'node:fs/promises';
import test from 'ava';
import {ProfileSink} from '../../lib/engine/profile.ts';
import {opNode} from '../../lib/graph/passes/rewrite.ts';
import {type ConditioningOptions, encodeConditioning} from '../../lib/pipelines/conditioning.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {rowTexts} from '../../lib/pipelines/row-texts.ts';
import {rowsOf} from '../../lib/pipelines/rows.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {instruct, none, resolved} from '../_helpers/resolved-samples.ts';

const pipeline = await IPAdapterInstructPipeline.load(instructModel);
test.after.always(() => pipeline.dispose());

/** 80 tokens. */
const long = 'a red fox in the snow at dusk '.repeat(10);
const base = {numInferenceSteps: 2, height: 64, width: 64, seed: 3, outputType: 'latent'} as const;
const style = {ipAdapterImage: conditionImage, instruction: 'use the style'};

async function latents(options: GenerateOptions): Promise<Float32Array[]> {
  const {images} = await pipeline.generate({...base, ...options});
  return images.map(image => image.latents.data);
}

/** What the UNet and the adapter are given. */
async function conditioning(
  given: GenerateOptions,
  {adapted = false, ...options}: Partial<ConditioningOptions> & {readonly adapted?: boolean} = {},
) {
  const {textEncoder, adapter} = pipeline.models;
  const reading = {promptSyntax: 'weighted', clipSkip: 0, ...options} as const;
  const {samples} = resolved(given, adapted ? instruct : none);
  const rows = rowsOf(samples, reading.promptSyntax);
  const texts = rowTexts(textEncoder.tokenizer, rows, reading);
  const warnings: string[] = [];
  const {textStates, imageTokens} = await encodeConditioning(
    {textEncoder, adapters: adapted ? [adapter!] : []},
    rows,
    texts,
    {
      ...reading,
      unconditionalImage: 'zero',
      negContentScale: 1,
      onWarning: message => warnings.push(message),
    },
  );
  const statesOf = (isPrompt: boolean) => textStates[rows.findIndex(row => row.isPrompt === isPrompt)]!;
  return {prompt: statesOf(true), negative: statesOf(false), imageTokens, warnings};
}

test('hidden states equal those of diffusers’ pipeline for long weighted prompts', async t => {
  const {prompts} = JSON.parse(
    await readFile(new URL('../fixtures/tokenizer/weighted-prompts.json', import.meta.url), 'utf8'),
  ) as {prompts: Record<string, string>};
  const expected = readSafetensors(inReference('..', 'pipelines', 'weighted-prompts.safetensors'));
  for (const [name, prompt] of Object.entries(prompts)) {
    const negativePrompt = name === 'padded' ? prompts['long']! : '';
    const {prompt: states} = await conditioning({prompt, negativePrompt});
    t.deepEqual(states.shape, expected[name]!.shape, name);
    const error = relativeError(states.data, expected[name]!.data);
    t.true(error < 1e-4, `${name}: ${error}`);
    t.log(`${name}: ${error.toExponential(1)}`);
  }
});

test('a prompt without weights that fits gives the bits of the plain one', async t => {
  for (const options of [
    {prompt: 'a red fox', negativePrompt: 'blurry'},
    {prompt: 'a red fox', negativePrompt: 'blurry', clipSkip: 1, ...style},
  ]) {
    const plain = await latents(options);
    t.deepEqual(await latents({...options, promptSyntax: 'weighted'}), plain);
    const equal = {...options, prompt: '(a red:1) fox', negativePrompt: '(blurry:1.0)'};
    t.deepEqual(await latents({...equal, promptSyntax: 'weighted'}), plain);
    // In plain syntax brackets are words.
    t.notDeepEqual(await latents(equal), plain);
  }
});

test('weights, and what stands after 75 tokens, change the picture', async t => {
  const variants = ['red fox', '(red:1.4) fox', '[red] fox', `${long} red fox`, `${long} blue fox`];
  const pictures = [];
  for (const prompt of variants) pictures.push(await latents({prompt, promptSyntax: 'weighted'}));
  for (const [i, picture] of pictures.entries()) {
    for (const other of pictures.slice(i + 1)) t.true(relativeError(picture[0]!, other[0]!) > 1e-5);
  }
});

test('with clipSkip each chunk is the layer before the last, padding too', async t => {
  const {textEncoder} = pipeline.models;
  const {prompt, negative} = await conditioning(
    {prompt: 'a fox BREAK (snow:2)', negativePrompt: long},
    {clipSkip: 1},
  );
  const {data} = await textEncoder.encode(['a fox', 'snow'], 1);
  const width = textEncoder.config.hiddenSize;
  // The second chunk's first token after its marker.
  const weighed = data.map((value, i) => (Math.floor(i / width) === 78 ? 2 * value : value));
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
  const expected = weighed.map(value => (value * sum(data)) / sum(weighed));
  t.true(relativeError(prompt.data, expected) < 1e-6);
  const last = await textEncoder.encode([long.split(' ').slice(0, 75).join(' ')], 0);
  t.deepEqual(negative.data.subarray(0, 77 * width), last.data);

  const padded = await conditioning({prompt: 'a fox', negativePrompt: long}, {clipSkip: 1});
  const empty = await textEncoder.encode([''], 1);
  t.deepEqual(padded.prompt.data.subarray(77 * width), empty.data);
});

test('an adapter reads the words, as it reads those of a plain prompt', async t => {
  const options = {
    ...style,
    negativePrompt: 'blurry',
    guidance: 'three-way',
    instructGuidanceScale: 2,
  } as const;
  const plain = await conditioning({...options, prompt: long}, {adapted: true, promptSyntax: 'plain'});
  const weighted = await conditioning(
    {...options, prompt: long.replace('fox', '(fox:1.4)'), negativePrompt: '[blurry]'},
    {adapted: true},
  );
  t.deepEqual(weighted.imageTokens, plain.imageTokens);
  t.notDeepEqual(weighted.prompt, plain.prompt);
  t.deepEqual(
    [...plain.warnings, ...weighted.warnings],
    ['text encoder', 'adapter'].map(
      reader => `text of 80 tokens: the ${reader} reads 75 and ignores this part: 'in the snow at dusk'.`,
    ),
  );
  // The UNet reads all.
  t.deepEqual((await conditioning({prompt: long})).warnings, []);
});

test('in a batch of prompts of any length each sample has the bits that it has alone', async t => {
  const samples = [
    {prompt: 'a fox', negativePrompt: '(blurry:1.2)', instruction: 'use the style', seed: 1},
    {prompt: `(${long}:1.2)`, negativePrompt: '', instruction: 'use the composition', seed: 2},
    {prompt: 'a boat BREAK a lake', negativePrompt: long, instruction: 'use the style', seed: 3},
    {prompt: '[a cactus]', negativePrompt: '', instruction: 'use everything', seed: 4},
    {prompt: 'a BREAK b BREAK c', negativePrompt: 'blurry', instruction: 'use the face', seed: 5},
  ];
  const shared = {
    ipAdapterImage: conditionImage,
    promptSyntax: 'weighted',
    scheduler: 'euler-ancestral',
    instructGuidanceScale: 2,
  } as const;
  const batch = await latents({
    ...shared,
    prompt: samples.map(sample => sample.prompt),
    negativePrompt: samples.map(sample => sample.negativePrompt),
    instruction: samples.map(sample => sample.instruction),
    seed: samples.map(sample => sample.seed),
  });
  for (const [index, sample] of samples.entries()) {
    t.deepEqual(batch[index], (await latents({...shared, ...sample}))[0], `sample ${index}`);
  }
});

test('what is planned is what runs', async t => {
  const options = {
    ...base,
    ...style,
    prompt: ['a fox', `(${long}:1.2)`, 'a boat'],
    promptSyntax: 'weighted',
    clipSkip: 1,
    numInferenceSteps: 1,
    scheduler: 'ddim',
  } as const;
  const profile = new ProfileSink();
  await pipeline.generate({...options, profile});
  const plans = pipeline.plan(options);
  for (const name of ['text_encoder', 'unet.text', 'adapter.keys', 'unet']) {
    const ran = profile.rows.filter(row => row.function === name).map(row => `${row.op} ${row.shape}`);
    const planned = plans
      .filter(plan => plan.name === name)
      .flatMap(({graph}) => graph.nodes.map(tensor => `${opNode(tensor).op.name} ${tensor.shape}`));
    t.true(ran.length > 0);
    t.deepEqual(new Set(ran), new Set(planned), name);
  }
  t.is(plans.filter(({name}) => name === 'unet').length, 2);

  const held = (prompt: string) => pipeline.estimateMemory({...options, prompt}).heldBytes;
  t.is(held(`${long} BREAK a`) - held(long), held(long) - held('a fox'));
  t.true(held(long) > held('a fox'));
});

test('a cache keeps chunks, whatever their weights', async t => {
  const keeping = await IPAdapterInstructPipeline.load({...instructModel, encodingCacheBytes: 2 ** 20});
  const run = async (prompt: string) => {
    const profile = new ProfileSink();
    const options = {...base, prompt, promptSyntax: 'weighted', profile} as const;
    const {images} = await keeping.generate(options);
    t.deepEqual(images[0]!.latents.data, (await latents({prompt, promptSyntax: 'weighted'}))[0]);
    return profile.rows.some(row => row.function === 'text_encoder');
  };
  t.true(await run(`a red fox BREAK ${long}`));
  t.false(await run(`a (red:1.4) fox BREAK ${long}`));
  t.false(await run(long));
  t.true(await run('a blue fox'));
  await keeping.dispose();
});
