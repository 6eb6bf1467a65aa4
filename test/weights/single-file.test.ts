import {readFile} from 'node:fs/promises';
import test from 'ava';
import {WeightsError} from '../../lib/errors.ts';
import {canonicalVaeTensors} from '../../lib/weights/component-names.ts';
import {isSingleFileCheckpoint, splitSingleFile} from '../../lib/weights/single-file.ts';
import {tensorMap, weightIndex} from '../_helpers/tensor-map.ts';

interface NamePair {
  readonly original: string;
  readonly diffusers: string;
  readonly shape: readonly number[];
}

/** By model: what the original code and what diffusers calls each tensor. */
const models = new Map<string, NamePair[]>();
const table = await readFile(new URL('../fixtures/weights/ldm-names.txt', import.meta.url), 'utf8');
for (const section of table.split('# ').slice(1)) {
  const [title, ...lines] = section.trimEnd().split('\n');
  const pairs = lines.map(line => {
    const [original, diffusers, shape] = line.split(' ') as [string, string, string];
    return {original, diffusers, shape: shape.split('x').map(Number)};
  });
  models.set(title!, pairs);
}

const shapesOf = (model: string, prefix: string) =>
  Object.fromEntries(models.get(model)!.map(({original, shape}) => [prefix + original, shape]));

const textShapes = {
  'cond_stage_model.transformer.text_model.embeddings.position_ids': [1, 77],
  'cond_stage_model.transformer.text_model.embeddings.token_embedding.weight': [49408, 768],
  'cond_stage_model.transformer.text_model.embeddings.position_embedding.weight': [77, 768],
  'cond_stage_model.transformer.text_model.encoder.layers.0.mlp.fc1.weight': [3072, 768],
  'cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc1.weight': [3072, 768],
};

const leftovers = {
  betas: [1000],
  'model_ema.diffusion_modelinput_blocks00weight': [320, 4, 3, 3],
  'model_ema.decay': [],
  'first_stage_model.loss.logvar': [],
  'cond_stage_model.logit_scale': [],
};

for (const [unetModel, vaeModel] of [
  ['unet-sd15', 'vae-sd15'],
  ['unet-tiny', 'vae-tiny'],
] as const) {
  test(`every tensor gets its diffusers name: ${unetModel}, ${vaeModel}`, t => {
    const {unet, vae, textEncoder} = splitSingleFile(
      weightIndex({
        ...shapesOf(unetModel, 'model.diffusion_model.'),
        ...shapesOf(vaeModel, 'first_stage_model.'),
        ...textShapes,
        ...leftovers,
      }),
    );
    for (const [component, model, prefix] of [
      [unet!, unetModel, 'model.diffusion_model.'],
      [vae!, vaeModel, 'first_stage_model.'],
    ] as const) {
      const pairs = models.get(model)!;
      t.is(component.tensors.size, pairs.length);
      for (const {original, diffusers} of pairs) {
        t.is(component.tensors.get(diffusers)?.name, prefix + original);
      }
    }
    t.deepEqual(
      [...textEncoder!.tensors.keys()],
      Object.keys(textShapes)
        .map(name => name.replace('cond_stage_model.transformer.', ''))
        .slice(1),
    );
  });
}

test('configurations are read off the shapes', t => {
  const sd15 = splitSingleFile(
    weightIndex({
      ...shapesOf('unet-sd15', 'model.diffusion_model.'),
      ...shapesOf('vae-sd15', 'first_stage_model.'),
      ...textShapes,
    }),
  );
  t.like(sd15.unet!.config, {
    in_channels: 4,
    out_channels: 4,
    block_out_channels: [320, 640, 1280, 1280],
    layers_per_block: 2,
    cross_attention_dim: 768,
    attention_head_dim: 8,
    down_block_types: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
  });
  t.like(sd15.vae!.config, {
    in_channels: 3,
    out_channels: 3,
    latent_channels: 4,
    block_out_channels: [128, 256, 512, 512],
    layers_per_block: 2,
    scaling_factor: 0.18215,
  });
  t.like(sd15.textEncoder!.config, {
    vocab_size: 49408,
    max_position_embeddings: 77,
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    hidden_act: 'quick_gelu',
  });

  const tiny = splitSingleFile(weightIndex(shapesOf('unet-tiny', 'model.diffusion_model.')));
  t.like(tiny.unet!.config, {
    block_out_channels: [32, 64, 64, 64],
    layers_per_block: 1,
    cross_attention_dim: 32,
  });
  t.is(tiny.vae, undefined);
  t.is(tiny.textEncoder, undefined);
});

test('VAE-only files, with and without the prefix', t => {
  const expected = models.get('vae-sd15')!.map(({diffusers}) => diffusers);
  for (const prefix of ['', 'first_stage_model.']) {
    const index = weightIndex({...shapesOf('vae-sd15', prefix), ...(prefix ? {} : {'loss.logvar': []})});
    t.true(isSingleFileCheckpoint(index));
    t.deepEqual([...splitSingleFile(index).vae!.tensors.keys()], expected);
    t.deepEqual([...canonicalVaeTensors(index.tensors).keys()], expected);
  }
});

test('a diffusers component is no single file', t => {
  t.false(isSingleFileCheckpoint(weightIndex({'down_blocks.0.resnets.0.conv1.weight': [1]})));
});

const refused: readonly (readonly [name: string, message: RegExp])[] = [
  ['conditioner.embedders.0.transformer.text_model.x', /got a Stable Diffusion XL checkpoint/],
  ['cond_stage_model.model.transformer.resblocks.0.x', /got a Stable Diffusion 2 checkpoint/],
  ['model.diffusion_model.joint_blocks.0.x', /got a Stable Diffusion 3 checkpoint/],
  ['model.diffusion_model.double_blocks.0.x', /got a FLUX checkpoint/],
  ['lora_unet_down_blocks_0.lora_up.weight', /got a LoRA/],
  ['control_model.input_hint_block.0.weight', /got a ControlNet/],
  ['model_ema.diffusion_modelinput_blocks00weight', /only the averaged copy/],
  ['something', /got tensors such as something/],
];

for (const [name, message] of refused) {
  test(`is a WeightsError that says what it is: ${name}`, t => {
    t.throws(() => splitSingleFile(weightIndex({[name]: [1]})), {instanceOf: WeightsError, message});
  });
}

test('absurd block numbers are an error at once', t => {
  for (const name of [
    'input_blocks.999999999.0.op.weight',
    'output_blocks.1e9.0.x',
    'input_blocks.999.1.norm.weight',
  ]) {
    const shapes = {[`model.diffusion_model.${name}`]: [1]};
    t.throws(() => splitSingleFile(weightIndex(shapes)), {instanceOf: WeightsError});
  }
});

test('names that no such model has are listed', t => {
  const unet = {
    ...shapesOf('unet-tiny', 'model.diffusion_model.'),
    'model.diffusion_model.input_blocks.1.0.odd.weight': [1],
  };
  t.throws(() => splitSingleFile(weightIndex(unet)), {
    instanceOf: WeightsError,
    message: /got also input_blocks\.1\.0\.odd/,
  });
  t.throws(
    () =>
      canonicalVaeTensors(tensorMap({...shapesOf('vae-tiny', ''), 'encoder.down.0.attn.0.q.weight': [1]})),
    {
      instanceOf: WeightsError,
      message: /got also encoder\.down\.0\.attn/,
    },
  );
});
