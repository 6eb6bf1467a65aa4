import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileError, WeightsError} from '../../lib/errors.ts';
import {type Lora, readLora} from '../../lib/weights/lora-file.ts';
import type {LoraTargets} from '../../lib/weights/lora-names.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {weightIndex} from '../_helpers/tensor-map.ts';

const query = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_q';
const key = 'mid_block.attentions.0.transformer_blocks.0.attn2.to_k';
const textQuery = 'text_model.encoder.layers.0.self_attn.q_proj';

const targets: LoraTargets = {
  unet: new Map([
    ['conv_in.weight', [32, 4, 3, 3]],
    ['conv_in.bias', [32]],
    [`${query}.weight`, [64, 64]],
    [`${key}.weight`, [64, 768]],
    ['proj_in.weight', [64, 64, 1, 1]],
  ]),
  text_encoder: new Map([[`${textQuery}.weight`, [768, 768]]]),
};

const read = (shapes: Readonly<Record<string, readonly number[]>>): Promise<Lora> =>
  readLora(weightIndex(shapes), targets, 768);

/** A file with one update of rank 4 for each of the two queries, and what else is given. */
async function writeLora(
  t: ExecutionContext,
  {alpha, metadata}: {readonly alpha?: number; readonly metadata?: object | string},
): Promise<string> {
  const path = join(await tempFolder(t), 'lora.safetensors');
  const zeros = (...shape: number[]) => ({
    shape,
    dtype: 'float32' as const,
    data: new Float32Array(shape.reduce((size, extent) => size * extent, 1)),
  });
  const tensors = new Map([
    [`unet.${query}.lora_A.weight`, zeros(4, 64)],
    [`unet.${query}.lora_B.weight`, zeros(64, 4)],
    [`text_encoder.${textQuery}.lora_A.weight`, zeros(4, 768)],
    [`text_encoder.${textQuery}.lora_B.weight`, zeros(768, 4)],
  ]);
  if (alpha !== undefined) {
    tensors.set(`unet.${query}.alpha`, {shape: [], dtype: 'float32', data: Float32Array.of(alpha)});
  }
  const entry = typeof metadata === 'string' ? metadata : JSON.stringify(metadata);
  await writeSafetensors(path, tensors, entry === undefined ? {} : {lora_adapter_metadata: entry});
  return path;
}

async function scalesOf(path: string): Promise<(number | undefined)[]> {
  const {layers} = await readLora(await openWeights(path), targets, 768);
  return [layers.unet.get(`${query}.weight`)?.scale, layers.text_encoder.get(`${textQuery}.weight`)?.scale];
}

test('layers of both models, with their ranks; a 1x1 convolution may be written as a linear layer', async t => {
  const {layers, tensors} = await read({
    [`unet.${query}.lora_A.weight`]: [4, 64],
    [`unet.${query}.lora_B.weight`]: [64, 4],
    'lora_unet_conv_in.lora_down.weight': [2, 4, 3, 3],
    'lora_unet_conv_in.lora_up.weight': [32, 2, 1, 1],
    'unet.proj_in.lora.down.weight': [1, 64],
    'unet.proj_in.lora.up.weight': [64, 1],
    [`text_encoder.${textQuery}.lora_A.weight`]: [8, 768],
    [`text_encoder.${textQuery}.lora_B.weight`]: [768, 8],
  });
  t.is(tensors.size, 8);
  t.deepEqual(layers.unet.get('conv_in.weight'), {
    down: 'unet.conv_in.lora_A.weight',
    up: 'unet.conv_in.lora_B.weight',
    rank: 2,
    scale: 1,
  });
  t.deepEqual(
    [...layers.unet].map(([name, {rank}]) => [name, rank]),
    [
      ['conv_in.weight', 2],
      [`${query}.weight`, 4],
      ['proj_in.weight', 1],
    ],
  );
  t.is(layers.text_encoder.get(`${textQuery}.weight`)?.rank, 8);
});

test('one WeightsError lists all tensors that fit no layer, lack their other half or have another shape', async t => {
  const error = await t.throwsAsync(
    read({
      [`unet.${query}.lora_A.weight`]: [4, 64],
      [`unet.${query}.lora_B.weight`]: [64, 5],
      [`unet.${key}.lora_A.weight`]: [2, 768],
      'lora_unet_conv_in.lora_down.weight': [2, 4, 1, 1],
      'lora_unet_conv_in.lora_up.weight': [32, 2, 1, 1],
      'lora_unet_conv_in.alpha': [2],
      'unet.proj_in.lora_A.weight': [0, 64],
      'unet.proj_in.lora_B.weight': [64, 0],
      'unet.conv_out.lora_A.weight': [2, 64],
      'lora_unet_conv_in.dora_scale': [32],
    }),
    {instanceOf: WeightsError},
  );
  t.is(
    error.message,
    [
      'LoRA /none: expected 9 tensors; got 10, which do not fit.',
      '1 missing:',
      `  unet.${key}.lora_B.weight [64, 2]`,
      '2 superfluous:',
      '  unet.conv_out.lora_A.weight [2, 64]',
      '  lora_unet_conv_in.dora_scale [32]',
      '5 of another shape:',
      '  unet.conv_in.lora_A.weight: expected [2, 4, 3, 3], got [2, 4, 1, 1]',
      '  unet.conv_in.alpha: expected [], got [2]',
      `  unet.${query}.lora_B.weight: expected [64, 4], got [64, 5]`,
      '  unet.proj_in.lora_A.weight: expected [1, 64, 1, 1], got [0, 64]',
      '  unet.proj_in.lora_B.weight: expected [64, 1], got [64, 0]',
      'The weights belong to another model or another configuration: check both.',
    ].join('\n'),
  );
});

const crossAttention = 'down_blocks.1.attentions.0.transformer_blocks.0.attn2';
const others: readonly (readonly [string, Readonly<Record<string, readonly number[]>>])[] = [
  ['Stable Diffusion XL', {[`unet.${crossAttention}.to_k.lora_A.weight`]: [4, 2048]}],
  ['Stable Diffusion XL', {[`unet.${crossAttention}.processor.to_v_lora.down.weight`]: [4, 2048]}],
  [
    'Stable Diffusion XL',
    {'lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight': [4, 2048]},
  ],
  ['Stable Diffusion XL', {'lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_down.weight': [4, 1280]}],
  ['Stable Diffusion 2', {[`unet.${crossAttention}.to_k.lora.down.weight`]: [4, 1024]}],
  ['a UNet that attends to text of 512 channels', {[`unet.${crossAttention}.to_k.lora_A.weight`]: [4, 512]}],
  ['a diffusion transformer', {'transformer.single_transformer_blocks.0.attn.to_k.lora_A.weight': [4, 3072]}],
  ['a diffusion transformer', {'lora_unet_double_blocks_0_img_mod_lin.lora_down.weight': [4, 3072]}],
];
for (const [index, [base, shapes]] of others.entries()) {
  test(`a LoRA for ${base} is refused by name (${index})`, async t => {
    await t.throwsAsync(read(shapes), {
      instanceOf: WeightsError,
      message: new RegExp(`^/none: expected a LoRA for Stable Diffusion 1; got one for ${base}`),
    });
  });
}

test('a file without tensors, and factors of integers, are WeightsErrors', async t => {
  await t.throwsAsync(read({}), {instanceOf: WeightsError, message: /expected a LoRA; got no tensors/});
  const {tensors, path} = weightIndex({
    'unet.conv_in.lora_A.weight': [2, 4, 3, 3],
    'unet.conv_in.lora_B.weight': [32, 2],
  });
  const bytes = new Map([...tensors].map(([name, tensor]) => [name, {...tensor, dtype: 'uint8' as const}]));
  await t.throwsAsync(readLora({path, tensors: bytes}, targets, 768), {
    instanceOf: WeightsError,
    message: /unet\.conv_in\.lora_A\.weight \[2, 4, 3, 3\] uint8\n {2}unet\.conv_in\.lora_B\.weight/,
  });
});

test('the scale is alpha / rank: of the layer, else of the header, else 1', async t => {
  const metadata = {'unet.lora_alpha': 6, 'unet.r': 4};
  t.deepEqual(await scalesOf(await writeLora(t, {})), [1, 1]);
  t.deepEqual(await scalesOf(await writeLora(t, {alpha: 2})), [0.5, 1]);
  t.deepEqual(await scalesOf(await writeLora(t, {metadata})), [1.5, 1]);
  t.deepEqual(await scalesOf(await writeLora(t, {metadata, alpha: 2})), [0.5, 1]);
  const stabilised = {...metadata, 'unet.use_rslora': true, 'text_encoder.lora_alpha': 8};
  t.deepEqual(await scalesOf(await writeLora(t, {metadata: stabilised})), [3, 2]);
  const pattern = {...metadata, 'unet.alpha_pattern': {'attn2.to_q': 1, to_k: 2}};
  t.deepEqual(await scalesOf(await writeLora(t, {metadata: pattern})), [0.25, 1]);
});

test('an alpha that is no number, and a header that is no JSON, are told', async t => {
  await t.throwsAsync(scalesOf(await writeLora(t, {alpha: Number.NaN})), {
    instanceOf: WeightsError,
    message: /expected a finite alpha for unet\.mid_block.*to_q; got NaN/,
  });
  await t.throwsAsync(scalesOf(await writeLora(t, {metadata: '{"unet'})), {
    instanceOf: FileError,
    message: /expected a JSON object as lora_adapter_metadata/,
  });
});
