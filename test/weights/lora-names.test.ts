import {readFileSync} from 'node:fs';
import {gunzipSync} from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import {WeightsError} from '../../lib/errors.ts';
import {canonicalLoraTensors, type LoraModel, type LoraTargets} from '../../lib/weights/lora-names.ts';
import {tensorMap} from '../_helpers/tensor-map.ts';

type Shapes = Readonly<Record<string, readonly number[]>>;
const shapesOf = (file: string, model: string): Map<string, readonly number[]> => {
  const path = new URL(`../fixtures/models/${file}.json.gz`, import.meta.url);
  const models: Record<string, {readonly weights: Shapes}> = JSON.parse(
    gunzipSync(readFileSync(path)).toString(),
  );
  return new Map(Object.entries(models[model]!.weights));
};

const targets: LoraTargets = {
  unet: shapesOf('diffusers-weights', 'stable-diffusion-1.5 unet'),
  text_encoder: shapesOf('encoder-weights', 'clip-vit-l text'),
};

const modules = Object.entries(targets).flatMap(([model, weights]) =>
  [...weights]
    .filter(([, shape]) => shape.length > 1)
    .map(([name]) => ({model: model as LoraModel, module: name.replace(/\.weight$/, '')})),
);

/** A way of writing a module's name, for the modules that it is written for. */
type Format = (model: LoraModel, module: string) => readonly string[] | undefined;

const formats: Readonly<Record<string, Format>> = {
  peft: (model, module) => ['lora_A', 'lora_B'].map(part => `${model}.${module}.${part}.weight`),
  'peft, text encoder of transformers 5': (model, module) =>
    model === 'text_encoder'
      ? ['lora_A', 'lora_B'].map(part => `${model}.${module.replace(/^text_model\./, '')}.${part}.weight`)
      : undefined,
  diffusers: (model, module) => ['down', 'up'].map(part => `${model}.${module}.lora.${part}.weight`),
  'diffusers, text encoder': (model, module) =>
    model === 'text_encoder'
      ? ['down', 'up'].map(part => `${model}.${module}.lora_linear_layer.${part}.weight`)
      : undefined,
  'diffusers, attention processors': (model, module) =>
    processorNames(module)?.map(name => `${model}.${name}`),
  'diffusers, attention processors of a UNet alone': (model, module) =>
    model === 'unet' ? processorNames(module) : undefined,
  kohya: (model, module) => {
    const layer = `lora_${model === 'unet' ? 'unet' : 'te'}_${module.replaceAll('.', '_')}`;
    return [`${layer}.lora_down.weight`, `${layer}.lora_up.weight`, `${layer}.alpha`];
  },
};

function processorNames(module: string): string[] | undefined {
  const [, attention, layer] =
    /^(.+\.(?:attn[12]|self_attn))\.(?:to_)?(q|k|v|out)(?:_proj|\.0)?$/.exec(module) ?? [];
  if (attention === undefined) return undefined;
  const place = attention.endsWith('self_attn') ? attention : `${attention}.processor`;
  return ['down', 'up'].map(part => `${place}.to_${layer}_lora.${part}.weight`);
}

for (const [format, write] of Object.entries(formats)) {
  test(`names that are written come back: ${format}`, t => {
    const written = modules.filter(({model, module}) => write(model, module) !== undefined);
    t.true(written.length > 20);
    fc.assert(
      fc.property(fc.subarray(written, {minLength: 1}), some => {
        const names = some.flatMap(({model, module}) => write(model, module)!);
        const found = canonicalLoraTensors(
          tensorMap(Object.fromEntries(names.map(name => [name, []]))),
          targets,
        );
        const parts = ['lora_A.weight', 'lora_B.weight', 'alpha'].slice(0, names.length / some.length);
        const expected = some.flatMap(({model, module}) => parts.map(part => `${model}.${module}.${part}`));
        t.deepEqual([...found.keys()], expected);
        t.deepEqual(
          [...found.values()].map(({name}) => name),
          names,
        );
      }),
      {numRuns: 20},
    );
  });
}

test('no two modules share a name of any format', t => {
  const names = Object.values(formats).map(write =>
    modules.flatMap(({model, module}) => write(model, module) ?? []),
  );
  for (const ofFormat of names) t.is(new Set(ofFormat).size, ofFormat.length);
});

test('names of no module stay', t => {
  const names = [
    'unet.mid_block.attentions.7.proj_in.lora_A.weight',
    'unet.conv_in.lora_B.bias',
    'lora_unet_conv_in.lora_mid.weight',
    'lora_unet_conv_in.hada_w1_a',
    'lora_unet_conv_in.dora_scale',
    'lora_te2_text_model_encoder_layers_0_mlp_fc1.alpha',
    'alpha',
  ];
  const found = canonicalLoraTensors(tensorMap(Object.fromEntries(names.map(name => [name, [1]]))), targets);
  t.deepEqual([...found.keys()], names);
});

test('a part under two names is a WeightsError that names both', t => {
  const names = ['unet.conv_in.lora_A.weight', 'lora_unet_conv_in.lora_down.weight'];
  const error = t.throws(
    () => canonicalLoraTensors(tensorMap(Object.fromEntries(names.map(name => [name, [1]]))), targets),
    {instanceOf: WeightsError},
  );
  for (const name of names) t.true(error.message.includes(`'${name}'`));
});
