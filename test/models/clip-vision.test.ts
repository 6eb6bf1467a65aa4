import test from 'ava';
import {ArgumentError, ShapeError} from '../../lib/errors.ts';
import {
  clipVisionEmbeds,
  clipVisionPenultimate,
  parseClipVisionConfig,
} from '../../lib/models/clip-vision.ts';
import {summarizeTrace, symbolic, symbolicWeights} from '../_helpers/symbolic.ts';

const vitH = parseClipVisionConfig({
  hidden_act: 'gelu',
  hidden_size: 1280,
  intermediate_size: 5120,
  num_attention_heads: 16,
  num_hidden_layers: 32,
  patch_size: 14,
  projection_dim: 1024,
});

test('hidden states before the last layer take neither that layer nor the projection', t => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const {outputs, weights} = summarizeTrace(
      inputs => clipVisionPenultimate(symbolicWeights(), vitH, inputs, dtype),
      {pixelValues: symbolic([2, 3, 224, 224])},
    );
    t.deepEqual(outputs, ['f32[2, 257, 1280]']);
    t.true(weights.has('vision_model.encoder.layers.30.mlp.fc2.weight'));
    t.false([...weights].some(name => /layers\.31|post_layernorm|visual_projection/.test(name)));
  }
});

test('embeddings take the whole tower', t => {
  const {outputs, weights} = summarizeTrace(
    inputs => clipVisionEmbeds(symbolicWeights(), vitH, inputs, 'bfloat16'),
    {pixelValues: symbolic([2, 3, 224, 224])},
  );
  t.deepEqual(outputs, ['f32[2, 1024]']);
  t.true(weights.has('vision_model.encoder.layers.31.mlp.fc2.weight'));
});

test('pixels that patches do not cover are cut, as by the reference', t => {
  const config = {...vitH, imageSize: 60, patchSize: 14};
  const {outputs} = summarizeTrace(
    inputs => clipVisionPenultimate(symbolicWeights(), config, inputs, 'float32'),
    {pixelValues: symbolic([1, 3, 60, 60])},
  );
  t.deepEqual(outputs, ['f32[1, 17, 1280]']);
});

test('refuses pictures of another size', t => {
  t.throws(
    () =>
      summarizeTrace(
        inputs => clipVisionPenultimate(symbolicWeights('image_encoder'), vitH, inputs, 'float32'),
        {
          pixelValues: symbolic([1, 3, 336, 224]),
        },
      ),
    {
      instanceOf: ShapeError,
      message:
        /image_encoder\.vision_model: expected pixelValues \[B, 3, 224, 224\]; got f32\[1, 3, 336, 224\]/,
    },
  );
});

test('refuses heads that do not divide the channels', t => {
  t.throws(() => parseClipVisionConfig({hidden_size: 1280, num_attention_heads: 12}), {
    instanceOf: ArgumentError,
    message: /num_attention_heads: expected a divisor of hidden_size 1280/,
  });
});
