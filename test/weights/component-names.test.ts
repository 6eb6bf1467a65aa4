import test from 'ava';
import {WeightsError} from '../../lib/errors.ts';
import {
  canonicalTextEncoderTensors,
  canonicalVaeTensors,
  canonicalVisionEncoderTensors,
} from '../../lib/weights/component-names.ts';
import {tensorMap} from '../_helpers/tensor-map.ts';

const shapes = (...names: string[]) => tensorMap(Object.fromEntries(names.map(name => [name, [1]])));

test('older attention names of the VAE', t => {
  const place = 'decoder.mid_block.attentions.0';
  const old = ['query.weight', 'key.bias', 'value.weight', 'proj_attn.bias', 'group_norm.weight'];
  const renamed = canonicalVaeTensors(shapes(...old.map(name => `${place}.${name}`), 'quant_conv.weight'));
  t.deepEqual(
    [...renamed.keys()],
    [
      ...['to_q.weight', 'to_k.bias', 'to_v.weight', 'to_out.0.bias', 'group_norm.weight'].map(
        name => `${place}.${name}`,
      ),
      'quant_conv.weight',
    ],
  );
  t.deepEqual([...canonicalVaeTensors(renamed).keys()], [...renamed.keys()]);
});

test('older and newer name at once is a WeightsError', t => {
  const place = 'decoder.mid_block.attentions.0';
  t.throws(() => canonicalVaeTensors(shapes(`${place}.query.weight`, `${place}.to_q.weight`)), {
    instanceOf: WeightsError,
    message: /got '.*query\.weight' and '.*to_q\.weight'/,
  });
});

test('text encoders with and without their prefix, alone and within a whole CLIP model', t => {
  const bare = [
    'embeddings.token_embedding.weight',
    'encoder.layers.0.mlp.fc1.bias',
    'final_layer_norm.weight',
  ];
  const prefixed = bare.map(name => `text_model.${name}`);
  const others = ['text_model.embeddings.position_ids', 'vision_model.post_layernorm.bias', 'logit_scale'];
  const projections = ['text_projection.weight', 'visual_projection.weight'];
  for (const names of [
    [...bare, 'embeddings.position_ids'],
    [...prefixed, ...others, ...projections],
  ]) {
    const without = canonicalTextEncoderTensors(shapes(...names), {withProjection: false});
    t.deepEqual([...without.keys()], prefixed);
  }
  const projected = canonicalTextEncoderTensors(shapes(...prefixed, ...projections), {withProjection: true});
  t.deepEqual([...projected.keys()], [...prefixed, 'text_projection.weight']);
});

test('vision encoders with and without their prefix, alone and within a whole CLIP model', t => {
  const bare = [
    'embeddings.class_embedding',
    'pre_layrnorm.bias',
    'encoder.layers.0.mlp.fc1.bias',
    'post_layernorm.bias',
  ];
  const prefixed = bare.map(name => `vision_model.${name}`);
  const others = [
    'vision_model.embeddings.position_ids',
    'text_model.final_layer_norm.bias',
    'text_projection.weight',
    'logit_scale',
  ];
  for (const names of [bare, [...prefixed, ...others]]) {
    const renamed = canonicalVisionEncoderTensors(shapes(...names, 'visual_projection.weight'));
    t.deepEqual([...renamed.keys()], [...prefixed, 'visual_projection.weight']);
  }
});
