import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';
import {conditionImage, inReference} from '../_helpers/reference-paths.ts';

const classic: LoadOptions = {
  model: inReference('model'),
  adapter: inReference('ip-adapter.safetensors'),
  imageEncoder: inReference('image_encoder'),
  instructionEncoder: inReference('instruction_encoder'),
};
const size = {height: 64, width: 64};
const withoutImage = {prompt: 'a fox', numInferenceSteps: 1, seed: 7, outputType: 'latent', ...size} as const;
const base = {...withoutImage, ipAdapterImage: conditionImage};
const negContentPrompt = 'a lighthouse';

const pipeline = await IPAdapterInstructPipeline.load(classic);
test.after.always(() => pipeline.dispose());

test('an empty content prompt and a scale of 0 subtract nothing; each sample has its own', async t => {
  const latentsOf = async (options: Partial<GenerateOptions>) => {
    const {images} = await pipeline.generate({...base, ...options});
    return images.map(({latents}) => latents.data);
  };
  const [plain] = await latentsOf({});
  t.deepEqual(await latentsOf({negContentPrompt: ''}), [plain]);
  t.deepEqual(await latentsOf({negContentPrompt, negContentScale: 0}), [plain]);
  const [subtracted] = await latentsOf({negContentPrompt});
  t.notDeepEqual(subtracted, plain);
  t.deepEqual(await latentsOf({negContentPrompt: [negContentPrompt, ''], seed: [7, 7]}), [subtracted, plain]);
});

test('the plan of a generation has the text tower that contents are embedded with', async t => {
  const names = (options: GenerateOptions) => pipeline.plan(options).map(({name}) => name);
  t.false(names(base).includes('instruction_encoder.embeds'));
  t.true(names({...base, negContentPrompt}).includes('instruction_encoder.embeds'));
});

const refused: readonly [string, GenerateOptions, RegExp][] = [
  ['no image', withoutImage, /^negContentPrompt: expected an ipAdapterImage/],
  ['a scale of NaN', {...base, negContentScale: Number.NaN}, /^negContentScale: expected a finite number/],
];
for (const [what, options, message] of refused) {
  test(`a content prompt with ${what} is refused`, async t => {
    const run = pipeline.generate({...options, negContentPrompt});
    await t.throwsAsync(run, {instanceOf: ArgumentError, message});
  });
}

const {instructionEncoder: _, ...withoutItsTextTower} = classic;
const unfit: readonly [string, LoadOptions, RegExp][] = [
  [
    'an adapter that reads hidden states',
    {...classic, adapter: inReference('ip-adapter-plus.safetensors'), adapterHeads: 2},
    /^negContentPrompt: expected an adapter of the kind 'classic'.* of the kind 'plus'/,
  ],
  [
    'a text encoder without a projection',
    withoutItsTextTower,
    /^negContentPrompt: expected .* projection to 40 channels, but the text_encoder is one without/,
  ],
];
for (const [what, models, message] of unfit) {
  test(`a content prompt with ${what} is refused`, async t => {
    const other = await IPAdapterInstructPipeline.load(models);
    t.teardown(() => other.dispose());
    const run = other.generate({...base, negContentPrompt});
    await t.throwsAsync(run, {instanceOf: ArgumentError, message});
  });
}
