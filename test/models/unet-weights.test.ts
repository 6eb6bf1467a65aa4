import {readFileSync} from 'node:fs';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import {describeControlNetWeights} from '../../lib/models/controlnet.ts';
import {parseControlNetConfig} from '../../lib/models/controlnet-config.ts';
import {crossAttentionLayers, describeUNetWeights} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';

type Shapes = Record<string, readonly number[]>;

interface DiffusersModel {
  readonly config: Record<string, unknown>;
  readonly weights: Shapes;
  /** The paths of a UNet's attention layers in the order of its `attn_processors`. */
  readonly attnProcessors?: readonly string[];
}

const fixtures = new URL('../fixtures/', import.meta.url);
const models: Record<string, DiffusersModel> = JSON.parse(
  gunzipSync(readFileSync(new URL('models/diffusers-weights.json.gz', fixtures))).toString(),
);

for (const [name, {config, weights, attnProcessors}] of Object.entries(models)) {
  test(`asks for the weights that diffusers has: ${name}`, t => {
    const described =
      attnProcessors === undefined
        ? describeControlNetWeights(parseControlNetConfig(config))
        : describeUNetWeights(parseUNetConfig(config));
    t.deepEqual(Object.fromEntries(described), weights);
  });

  if (attnProcessors === undefined) continue;
  test(`numbers the cross-attention layers as diffusers does: ${name}`, t => {
    const layers = crossAttentionLayers(parseUNetConfig(config));
    t.is(layers.length, attnProcessors.length / 2);
    for (const {path, channels, adapterIndex} of layers) {
      t.is(path, attnProcessors[adapterIndex]!);
      t.is(channels, weights[`${path}.to_q.weight`]![0]!);
    }
  });
}

for (const [folder, describe] of [
  ['model/unet', (json: unknown) => describeUNetWeights(parseUNetConfig(json))],
  ['controlnet', (json: unknown) => describeControlNetWeights(parseControlNetConfig(json))],
] as const) {
  test(`asks for exactly what is in the reference file: ${folder}`, async t => {
    const place = new URL(`reference/${folder}/`, fixtures);
    const config: unknown = JSON.parse(readFileSync(new URL('config.json', place), 'utf8'));
    const {tensors} = await readSafetensorsIndex(
      new URL('diffusion_pytorch_model.safetensors', place).pathname,
    );
    const stored = [...tensors].map(([name, {shape}]) => [name, shape]);
    t.deepEqual(Object.fromEntries(describe(config)), Object.fromEntries(stored));
  });
}

test('cross-attention layers carry heads, block and number of the transformer in it', t => {
  const layers = crossAttentionLayers(parseUNetConfig(models['stable-diffusion-2 unet']!.config));
  const summary = layers.map(
    ({adapterIndex, block, attentionIndex, heads}) => `${adapterIndex} ${block} ${attentionIndex} ${heads}`,
  );
  t.deepEqual(summary, [
    '1 down.block_0 0 5',
    '3 down.block_0 1 5',
    '5 down.block_1 0 10',
    '7 down.block_1 1 10',
    '9 down.block_2 0 20',
    '11 down.block_2 1 20',
    '13 up.block_1 0 20',
    '15 up.block_1 1 20',
    '17 up.block_1 2 20',
    '19 up.block_2 0 10',
    '21 up.block_2 1 10',
    '23 up.block_2 2 10',
    '25 up.block_3 0 5',
    '27 up.block_3 1 5',
    '29 up.block_3 2 5',
    '31 mid 0 20',
  ]);
});
