import test from 'ava';
import {ArgumentError} from '../../../lib/errors.ts';
import {IPAdapterInstructPipeline} from '../../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {RandomOptions} from '../../../lib/pipelines/load-options.ts';
import {openEncoderCaches} from '../../../lib/training/batches/open-encoder-caches.ts';

const load = async (options: RandomOptions = {}) =>
  (await IPAdapterInstructPipeline.random({adapter: 'instruct', device: 'cpu', ...options})).models;
const models = await load();
const sizes = {buckets: [[512, 512]]} as const;

test('entries depend on weights, dtype, sizes of targets, and what the adapter reads of conditions', async t => {
  const open = async (of = models, given: Parameters<typeof openEncoderCaches>[2] = sizes) => {
    const {target, condition} = await openEncoderCaches('/cache', of, given);
    t.is(target.folder, '/cache');
    return [target.settings, condition.settings] as const;
  };
  const [target, condition] = await open();
  t.deepEqual(await open(await load()), [target, condition]);
  for (const options of [{seed: 1}, {dtype: 'bfloat16'}] as const) {
    const other = await open(await load(options));
    t.not(other[0], target);
    t.not(other[1], condition);
  }
  const classic = await open(await load({adapter: 'classic'}));
  t.is(classic[0], target);
  t.not(classic[1], condition);
  const targets = [target];
  for (const buckets of [
    [[256, 256]],
    [
      [512, 512],
      [256, 512],
    ],
  ] as const) {
    const other = await open(models, {buckets});
    targets.push(other[0]);
    t.is(other[1], condition);
  }
  t.is(new Set(targets).size, 3);
});

test('refuses encoders whose weights cannot be told from others', async t => {
  const {source} = models.vae.weights;
  const anonymous = {label: source.label, tensor: source.tensor};
  const vae = Object.create(models.vae, {weights: {value: {source: anonymous}}});
  await t.throwsAsync(openEncoderCaches('/cache', {...models, vae}, sizes), {
    instanceOf: ArgumentError,
    message: /^cacheFolder: .*vae/,
  });
});
