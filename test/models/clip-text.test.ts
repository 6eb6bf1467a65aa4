import test from 'ava';
import {ArgumentError, ShapeError} from '../../lib/errors.ts';
import {clipText, clipTextEmbeds, endOfTextIndices, parseClipTextConfig} from '../../lib/models/clip-text.ts';
import {summarizeTrace, symbolic, symbolicWeights} from '../_helpers/symbolic.ts';

/** Of Stable Diffusion 1.5: CLIP ViT-L/14. */
const vitL = parseClipTextConfig({
  architectures: ['CLIPTextModel'],
  eos_token_id: 2,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  projection_dim: 768,
});
const vitH = parseClipTextConfig({
  architectures: ['CLIPModel'],
  projection_dim: 1024,
  text_config: {
    hidden_act: 'gelu',
    hidden_size: 1024,
    intermediate_size: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    projection_dim: 512,
  },
});
const ids = (batch: number, length = 77) => symbolic([batch, length], 'int32');

test('reads a config with transformers’ defaults', t => {
  t.deepEqual(vitL, {
    vocabSize: 49408,
    hiddenSize: 768,
    intermediateSize: 3072,
    numHiddenLayers: 12,
    numAttentionHeads: 12,
    maxPositionEmbeddings: 77,
    hiddenAct: 'quick_gelu',
    layerNormEps: 1e-5,
    eosTokenId: 2,
    projectionDim: undefined,
  });
});

test('takes the text part of a whole CLIP model, with the projection beside it', t => {
  t.like(vitH, {hiddenSize: 1024, numHiddenLayers: 24, hiddenAct: 'gelu', projectionDim: 1024});
});

test('a wrong config names every setting and its value', t => {
  const error = t.throws(() => parseClipTextConfig({hidden_act: 'relu', num_hidden_layers: 0}), {
    instanceOf: ArgumentError,
  });
  t.regex(error!.message, /hidden_act: .*got 'relu'/);
  t.regex(error!.message, /num_hidden_layers: .*got 0 \(number\)/);
  t.throws(() => parseClipTextConfig({hidden_size: 100, num_attention_heads: 12}), {
    instanceOf: ArgumentError,
    message: /num_attention_heads: expected a divisor of hidden_size 100, got 12 \(number\)/,
  });
  t.throws(() => parseClipTextConfig('{}'), {instanceOf: ArgumentError, message: /expected a JSON object/});
});

test('gives float32 hidden states in any compute dtype', t => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const {outputs} = summarizeTrace(inputs => clipText(symbolicWeights(), vitL, inputs, dtype), {
      inputIds: ids(2),
    });
    t.deepEqual(outputs, ['f32[2, 77, 768]']);
  }
});

test('clip skip leaves out layers at the end and keeps the final norm', t => {
  const layersOf = (clipSkip: number) => {
    const {weights} = summarizeTrace(
      inputs => clipText(symbolicWeights(), vitL, inputs, 'float32', clipSkip),
      {inputIds: ids(1)},
    );
    t.true(weights.has('text_model.final_layer_norm.weight'));
    return new Set([...weights].flatMap(name => name.match(/layers\.\d+/) ?? [])).size;
  };
  t.deepEqual([0, 1, 2, 12].map(layersOf), [12, 11, 10, 0]);
});

test('refuses a clip skip that there are no layers for', t => {
  for (const clipSkip of [-1, 13, 0.5, Number.NaN]) {
    t.throws(
      () =>
        summarizeTrace(inputs => clipText(symbolicWeights(), vitL, inputs, 'float32', clipSkip), {
          inputIds: ids(1),
        }),
      {instanceOf: ArgumentError, message: /clipSkip: expected a whole number from 0 to 12/},
    );
  }
});

test('refuses more tokens than there are positions', t => {
  t.throws(
    () =>
      summarizeTrace(inputs => clipText(symbolicWeights(), vitL, inputs, 'float32'), {inputIds: ids(1, 78)}),
    {instanceOf: ShapeError, message: /text_model\.embeddings/},
  );
});

test('gives embeddings of whole texts where there is a projection', t => {
  const types = {inputIds: ids(3), endIndices: symbolic([3], 'int32')};
  const {outputs} = summarizeTrace(
    inputs => clipTextEmbeds(symbolicWeights(), vitH, inputs, 'bfloat16'),
    types,
  );
  t.deepEqual(outputs, ['f32[3, 1024]']);
  t.throws(
    () => summarizeTrace(inputs => clipTextEmbeds(symbolicWeights(), vitL, inputs, 'float32'), types),
    {instanceOf: ArgumentError, message: /expected a CLIPTextModelWithProjection/},
  );
});

test('a text ends at its first end marker', t => {
  const ids = [Int32Array.of(49406, 320, 49407, 49407), Int32Array.of(49406, 49407, 0, 0)];
  t.deepEqual(endOfTextIndices({eosTokenId: 49407}, ids), Int32Array.of(2, 1));
});

test('with the old config’s id 2, a text ends at its largest id', t => {
  const ids = [Int32Array.of(49406, 2, 49407, 0), Int32Array.of(49406, 49407, 49407, 49407)];
  t.deepEqual(endOfTextIndices({eosTokenId: 2}, ids), Int32Array.of(2, 1));
});

test('refuses a text without an end marker', t => {
  const ids = [Int32Array.of(1, 7), Int32Array.of(1, 2)];
  t.throws(() => endOfTextIndices({eosTokenId: 7}, ids), {
    instanceOf: ArgumentError,
    message: /inputIds\[1\]: expected an end marker \(token 7\)/,
  });
});
