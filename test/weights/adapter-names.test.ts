import test from 'ava';
import {WeightsError} from '../../lib/errors.ts';
import {canonicalAdapterTensors} from '../../lib/weights/adapter-names.ts';
import {weightIndex} from '../_helpers/tensor-map.ts';

/** The cross-attentions of a UNet with one layer per block, as diffusers numbers them. */
const ATTENTIONS = [
  'down_blocks.0.attentions.0',
  'down_blocks.1.attentions.0',
  'down_blocks.2.attentions.0',
  'up_blocks.1.attentions.0',
  'up_blocks.1.attentions.1',
  'up_blocks.2.attentions.0',
  'up_blocks.2.attentions.1',
  'up_blocks.3.attentions.0',
  'up_blocks.3.attentions.1',
  'mid_block.attentions.0',
];

const published = {
  'image_proj.latents': [1, 16, 32],
  'ip_adapter.1.to_k_ip.weight': [32, 32],
  'ip_adapter.1.to_v_ip.weight': [32, 32],
};

test('published names stay', t => {
  t.deepEqual([...canonicalAdapterTensors(weightIndex(published)).keys()], Object.keys(published));
});

test('a training checkpoint with its modules', t => {
  const renamed = canonicalAdapterTensors(
    weightIndex({
      'unet.conv_in.weight': [32, 4, 3, 3],
      'unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.weight': [32, 32],
      'image_proj_model.latents': [1, 16, 32],
      'adapter_modules.1.to_k_ip.weight': [32, 32],
      'adapter_modules.1.to_v_ip.weight': [32, 32],
    }),
  );
  t.deepEqual([...renamed.keys()], Object.keys(published));
  t.is(renamed.get('ip_adapter.1.to_k_ip.weight')!.name, 'adapter_modules.1.to_k_ip.weight');
});

test('a training checkpoint without its shared modules: numbered as diffusers does, the middle last', t => {
  const shuffled = [...ATTENTIONS]
    .reverse()
    .flatMap(attention =>
      ['to_k_ip', 'to_v_ip'].map(
        name => `unet.${attention}.transformer_blocks.0.attn2.processor.${name}.weight`,
      ),
    );
  const shapes = Object.fromEntries(shuffled.map(name => [name, [32, 32]]));
  const renamed = canonicalAdapterTensors(
    weightIndex({...shapes, 'image_proj_model.proj.weight': [128, 40]}),
  );
  ATTENTIONS.forEach((attention, i) => {
    t.is(
      renamed.get(`ip_adapter.${2 * i + 1}.to_v_ip.weight`)?.name,
      `unet.${attention}.transformer_blocks.0.attn2.processor.to_v_ip.weight`,
    );
  });
  t.is(renamed.size, 2 * ATTENTIONS.length + 1);
});

test('blocks from 10 on come after block 9', t => {
  const nameOf = (block: number): string =>
    `unet.down_blocks.${block}.attentions.0.transformer_blocks.0.attn2.processor.to_k_ip.weight`;
  const index = weightIndex({[nameOf(10)]: [1], [nameOf(9)]: [1], 'image_proj_model.x': [1]});
  t.is(canonicalAdapterTensors(index).get('ip_adapter.1.to_k_ip.weight')!.name, nameOf(9));
});

test('a file without an adapter is a WeightsError that shows its names', t => {
  for (const shapes of [
    {},
    {'conv_in.weight': [1]},
    {'image_proj.latents': [1]},
    {'ip_adapter.1.to_k_ip.weight': [1]},
  ]) {
    const got = Object.keys(shapes)[0] ?? 'no tensors';
    t.throws(() => canonicalAdapterTensors(weightIndex(shapes)), {
      instanceOf: WeightsError,
      message: new RegExp(`expected an IP-Adapter, .* got ${got}`),
    });
  }
});
