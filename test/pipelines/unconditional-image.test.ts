import test from 'ava';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {clipDefaults} from '../../lib/images/clip-preprocess.ts';
import type {RawImage} from '../../lib/images/image.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';
import {noiseImage, type UnconditionalImage} from '../../lib/pipelines/unconditional-image.ts';
import {conditionImage, inReference, instructModel} from '../_helpers/reference-paths.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const {load} = IPAdapterInstructPipeline;
const base = {prompt: 'a fox', numInferenceSteps: 2, height: 64, width: 64, seed: 3} as const;
const request = {...base, outputType: 'latent', guidance: 'simple', ipAdapterImage: conditionImage} as const;

function plane(value: (index: number) => number, width = 50, height = 40): RawImage {
  const data = Uint8Array.from({length: 3 * width * height}, (_, index) => value(index));
  return {width, height, channels: 3, data};
}

const black = plane(() => 0);
const colourful = plane(index => (index * 7919) % 256);

const pipeline = await load(instructModel);
test.after.always(() => pipeline.dispose());

async function latentsOf(from: IPAdapterInstructPipeline, options: Partial<GenerateOptions>) {
  const {images} = await from.generate({...request, ...options});
  return images.map(({latents}) => latents.data);
}

const {adapter: _, ...withoutAdapter} = instructModel;
const others: Readonly<Record<string, LoadOptions>> = {
  plus: {...instructModel, adapter: inReference('ip-adapter-plus.safetensors')},
  classic: {...withoutAdapter, adapter: inReference('ip-adapter.safetensors')},
};

for (const kind of ['instruct', 'plus', 'classic']) {
  test(`with the ${kind} adapter a picture is what guidance leads away from`, async t => {
    const models = others[kind];
    const own = models === undefined ? pipeline : await load(models);
    if (own !== pipeline) t.teardown(() => own.dispose());
    const of = async (unconditionalImage: UnconditionalImage) =>
      (await latentsOf(own, {unconditionalImage}))[0]!;
    const [zero] = await latentsOf(own, {});
    t.deepEqual(await of('zero'), zero);
    t.deepEqual(await of(black), await of('black'));
    const different = [zero!, await of('black'), await of(colourful), await of('noise')];
    for (const [index, one] of different.entries()) {
      for (const other of different.slice(index + 1)) t.true(relativeError(one, other) > 1e-6);
    }
    const {imageSize} = own.models.adapter!.imageEncoder.config;
    const {width, height, data} = noiseImage(imageSize, clipDefaults, base.seed);
    t.deepEqual(await of({width, height, channels: 3, data}), await of('noise'));
  });
}

test('noise is that of the sample’s seed: alone, in batches, again, and kept', async t => {
  const keeping = await load({...instructModel, encodingCacheBytes: 2 ** 22});
  t.teardown(() => keeping.dispose());
  const noise = {unconditionalImage: 'noise'} as const;
  const [first] = await latentsOf(pipeline, {...noise, seed: 3});
  const [second] = await latentsOf(pipeline, {...noise, seed: 4});
  t.true(relativeError(first!, second!) > 1e-3);
  t.deepEqual(await latentsOf(pipeline, {...noise, prompt: ['a fox', 'a fox', 'a fox'], seed: [3, 4, 3]}), [
    first,
    second,
    first,
  ]);
  for (const unconditionalImage of ['noise', colourful, black, 'zero', colourful, 'noise'] as const) {
    const fresh = await latentsOf(pipeline, {unconditionalImage});
    t.deepEqual(await latentsOf(keeping, {unconditionalImage}), fresh);
  }
});

test('several conditions and adapters, images in a row or combined, have the negative image once for each', async t => {
  const two = await load({
    ...instructModel,
    adapters: {plus: inReference('ip-adapter-plus.safetensors')},
  });
  t.teardown(() => two.dispose());
  const {ipAdapterImage: _image, ...shared} = request;
  const conditions = [
    {image: [conditionImage, colourful], instruction: 'use the style'},
    {image: [conditionImage, colourful], combine: 'norm-average', imageWeights: [2, 0.5], adapter: 'plus'},
  ] as const;
  const of = async (unconditionalImage: UnconditionalImage) => {
    const {images} = await two.generate({...shared, conditions, unconditionalImage});
    return images[0]!.latents.data;
  };
  const [zero, dark] = [await of('zero'), await of('black')];
  t.deepEqual(await of(black), dark);
  t.true(relativeError(dark, zero) > 1e-6);
  t.true(relativeError(await of(colourful), dark) > 1e-6);
});

test('the plan of a generation has the negative image among those that are encoded', async t => {
  const encoded = (options: Partial<GenerateOptions>) =>
    pipeline
      .plan({...request, ...options})
      .filter(({name}) => name === 'image_encoder')
      .map(({graph}) => graph.inputs.map(({shape}) => shape[0]));
  t.deepEqual(encoded({}), [[1]]);
  t.deepEqual(encoded({unconditionalImage: colourful}), [[2]]);
  t.deepEqual(encoded({unconditionalImage: 'noise', prompt: ['a', 'b', 'c'], seed: [1, 2, 1]}), [[3]]);
});

test('noise is normal around the mean colour, and clipped', t => {
  const {width, height, data} = noiseImage(224, clipDefaults, 7);
  t.deepEqual([width, height, data.length], [224, 224, 224 * 224 * 3]);
  t.deepEqual(noiseImage(224, clipDefaults, 7).data, data);
  t.notDeepEqual(noiseImage(224, clipDefaults, 8).data, data);
  for (const [channel, mean] of clipDefaults.mean.entries()) {
    const values = data.filter((_, index) => index % 3 === channel);
    const ordered = values.toSorted();
    const quantile = (share: number) => ordered[Math.round(share * (values.length - 1))]!;
    t.true(Math.abs(quantile(0.5) - 255 * mean) < 2);
    // Of a normal distribution, clipped or not.
    t.true(Math.abs((quantile(0.8413) - quantile(0.5)) / 255 - clipDefaults.std[channel]!) < 0.01);
    t.deepEqual([quantile(0), quantile(1)], [0, 255]);
  }
});

test('what guidance does not read is told', async t => {
  const warningsOf = async (options: Partial<GenerateOptions>) => {
    const warnings: string[] = [];
    await pipeline.generate({...request, ...options, onWarning: warning => warnings.push(warning)});
    return warnings;
  };
  const unread = {guidance: 'three-way', unconditionalImage: colourful} as const;
  const [warning, ...others] = await warningsOf(unread);
  t.regex(warning!, /^unconditionalImage: no sample reads it/);
  t.deepEqual(others, []);
  t.deepEqual(await warningsOf({...unread, imageGuidanceScale: 2}), []);
  t.deepEqual(await warningsOf({...unread, unconditionalImage: 'black'}), []);
  t.is((await warningsOf({unconditionalImage: 'noise', guidanceScale: 1})).length, 1);
});

test('what cannot be a negative image is refused by its name', async t => {
  const plain = await load(withoutAdapter);
  t.teardown(() => plain.dispose());
  const {ipAdapterImage: _image, ...withoutImage} = request;
  const errorOf = (from: IPAdapterInstructPipeline, options: GenerateOptions) =>
    t.throwsAsync(from.generate(options));
  for (const unconditionalImage of ['zero', 'noise', colourful] as const) {
    const error = await errorOf(plain, {...withoutImage, unconditionalImage});
    t.true(error instanceof ArgumentError);
    t.regex(error!.message, /^unconditionalImage: expected a loaded adapter/);
  }
  const alone = await errorOf(pipeline, {...withoutImage, unconditionalImage: 'black'});
  t.true(alone instanceof ArgumentError);
  t.regex(alone!.message, /^unconditionalImage: expected a condition image/);
  const missing = await errorOf(pipeline, {...request, unconditionalImage: 'gray'});
  t.true(missing instanceof FileError);
  t.regex(missing!.message, /^unconditionalImage 'gray': .*ENOENT/);
  for (const wrong of [7, null, [colourful]]) {
    const error = await errorOf(pipeline, {...request, unconditionalImage: wrong as unknown as 'zero'});
    t.true(error instanceof ArgumentError);
    t.regex(error!.message, /^unconditionalImage: expected a path/);
  }
});
