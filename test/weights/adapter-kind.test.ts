import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ArgumentError, WeightsError} from '../../lib/errors.ts';
import {detectAdapterKind} from '../../lib/weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../../lib/weights/adapter-names.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {wrongEncoderMessage} from '../../lib/weights/wrong-encoder.ts';
import {tensorMap} from '../_helpers/tensor-map.ts';

const reference = fileURLToPath(new URL('../fixtures/reference', import.meta.url));
type Shapes = Readonly<Record<string, readonly number[]>>;

const tinyResampler = {
  imageWidth: 48,
  numTokens: 16,
  dim: 32,
  heads: 2,
  dimHead: 16,
  depth: 2,
  feedForwardMult: 4,
  crossAttentionDim: 32,
  attentionLayers: 10,
};
const tinyInstruct = {...tinyResampler, instruction: {textWidth: 32, feedForwardMult: 2}};

const references = {
  'ip-adapter': {kind: 'classic', imageWidth: 40, numTokens: 4, crossAttentionDim: 32, attentionLayers: 10},
  'ip-adapter-plus': {kind: 'plus', ...tinyResampler},
  'ip-adapter-instruct': {kind: 'instruct', ...tinyInstruct},
  'ip-adapter-instruct-paper': {kind: 'instruct-paper', ...tinyInstruct},
} as const;

for (const [name, expected] of Object.entries(references)) {
  for (const extension of ['bin', 'safetensors']) {
    test(`${name}.${extension}`, async t => {
      const index = await openWeights(join(reference, `${name}.${extension}`));
      t.deepEqual(detectAdapterKind(canonicalAdapterTensors(index), {heads: 2}), expected);
    });
  }
}

/** Key and value matrices of three layers of different widths. */
function attention(width: number): Shapes {
  const layers = [320, 640, 1280].flatMap((channels, i) =>
    ['to_k_ip', 'to_v_ip'].map(name => [`ip_adapter.${2 * i + 1}.${name}.weight`, [channels, width]]),
  );
  return Object.fromEntries(layers);
}

/** The parts of a resampler that tell its dimensions. */
function resampler(dim: number, imageWidth: number, streams: readonly string[] = []): Shapes {
  const blocks = ['layers', ...streams].flatMap(stream =>
    [0, 1, 2, 3].flatMap(i => [
      [`image_proj.${stream}.${i}.0.to_q.weight`, [dim, dim]],
      [`image_proj.${stream}.${i}.1.1.weight`, [(stream === 'layers' ? 4 : 2) * dim, dim]],
    ]),
  );
  return {
    'image_proj.latents': [1, 16, dim],
    'image_proj.proj_in.weight': [dim, imageWidth],
    ...(streams.length > 0 && {'image_proj.proj_new_input.weight': [dim, 768]}),
    ...Object.fromEntries(blocks),
  };
}

const released = resampler(768, 1280, ['prompt_layers', 'new_input_layers']);

test('full-size files: 64 channels a head', t => {
  t.deepEqual(detectAdapterKind(tensorMap({...released, ...attention(768)})), {
    kind: 'instruct',
    imageWidth: 1280,
    numTokens: 16,
    dim: 768,
    heads: 12,
    dimHead: 64,
    depth: 4,
    feedForwardMult: 4,
    crossAttentionDim: 768,
    attentionLayers: 3,
    instruction: {textWidth: 768, feedForwardMult: 2},
  });
  const fullFace = {
    'image_proj.proj.0.weight': [1280, 1280],
    'image_proj.proj.2.weight': [768, 1280],
    'image_proj.proj.3.weight': [768],
  };
  t.deepEqual(detectAdapterKind(tensorMap({...fullFace, ...attention(768)})), {
    kind: 'full-face',
    imageWidth: 1280,
    hiddenWidth: 1280,
    crossAttentionDim: 768,
    attentionLayers: 3,
  });
});

const identity = {
  'image_proj.proj.0.weight': [1024, 512],
  'image_proj.proj.2.weight': [3072, 1024],
  'image_proj.norm.weight': [768],
};

const refused: readonly (readonly [title: string, shapes: Shapes, message: RegExp])[] = [
  ['FaceID', {...identity, ...attention(768)}, /got an IP-Adapter FaceID, which needs a face recogniser/],
  [
    'FaceID by its LoRA',
    {...resampler(768, 1280), ...attention(768), 'ip_adapter.0.to_q_lora.down.weight': [128, 320]},
    /got an IP-Adapter FaceID,/,
  ],
  [
    'FaceID Plus',
    {...identity, 'image_proj.perceiver_resampler.proj_in.weight': [768, 1280], ...attention(768)},
    /got an IP-Adapter FaceID Plus/,
  ],
  ['SDXL', {...resampler(1280, 1280), ...attention(2048)}, /got an IP-Adapter for Stable Diffusion XL/],
  [
    'instruct for SDXL',
    {...resampler(1280, 1280, ['prompt_layers', 'new_input_layers']), ...attention(2048)},
    /got an IPAdapter-Instruct for Stable Diffusion XL/,
  ],
  [
    'instruct for SD3',
    {
      ...resampler(1280, 1280, ['new_input_layers']),
      'image_proj.proj_out_big.weight': [4096, 1280],
      ...attention(1536),
    },
    /got an IPAdapter-Instruct for Stable Diffusion 3/,
  ],
  ['Kolors', {...resampler(2048, 1024), ...attention(2048)}, /got an IP-Adapter for Kolors/],
];

for (const [title, shapes, message] of refused) {
  test(`is refused by name: ${title}`, t => {
    t.throws(() => detectAdapterKind(tensorMap(shapes), {what: 'a.bin'}), {
      instanceOf: WeightsError,
      message,
    });
  });
}

const plus = {...resampler(768, 1280), ...attention(768)};
const without = (shapes: Shapes, name: string): Shapes =>
  Object.fromEntries(Object.entries(shapes).filter(([key]) => key !== name));

const incomplete: readonly (readonly [title: string, shapes: Shapes, message: RegExp])[] = [
  ['no attention', resampler(768, 1280), /expected matrices 'ip_adapter\.<n>\.to_k_ip\.weight'; got none/],
  [
    'keys without values',
    without(plus, 'ip_adapter.3.to_v_ip.weight'),
    /got 'ip_adapter\.3\.to_k_ip\.weight' \[640, 768\] alone/,
  ],
  [
    'layers of different widths',
    {...plus, 'ip_adapter.3.to_k_ip.weight': [640, 1024]},
    /one shape \[channels, 768\]/,
  ],
  ['no projection', {...attention(768), 'image_proj.x': [1]}, /got none of them/],
  [
    'no proj_in',
    without(plus, 'image_proj.proj_in.weight'),
    /'image_proj\.proj_in\.weight' with 2 axes; got none/,
  ],
  [
    'latents of the wrong rank',
    {...plus, 'image_proj.latents': [16, 768]},
    /with 3 axes; got shape \[16, 768\]/,
  ],
  [
    'a linear layer of the wrong size',
    {...attention(768), 'image_proj.proj.weight': [3000, 1024]},
    /a multiple of 768; got 3000/,
  ],
  [
    'instruction layers missing',
    without({...released, ...attention(768)}, 'image_proj.new_input_layers.3.0.to_q.weight'),
    /expected 4 new_input_layers, one for each of layers; got 3/,
  ],
];

for (const [title, shapes, message] of incomplete) {
  test(`is a WeightsError: ${title}`, t => {
    t.throws(() => detectAdapterKind(tensorMap(shapes)), {instanceOf: WeightsError, message});
  });
}

test('heads: an option where the width does not tell them', t => {
  const narrow = tensorMap({...resampler(96, 1280), ...attention(768)});
  t.throws(() => detectAdapterKind(narrow), {
    instanceOf: WeightsError,
    message: /or the number of heads as an option/,
  });
  t.like(detectAdapterKind(narrow, {heads: 4}), {heads: 4, dimHead: 24});
  t.throws(() => detectAdapterKind(narrow, {heads: 5}), {
    instanceOf: WeightsError,
    message: /with 5 heads: a multiple of 5; got 96/,
  });
  t.throws(() => detectAdapterKind(narrow, {heads: 0}), {instanceOf: ArgumentError});
});

test('a wrong image encoder is told the right one', t => {
  const bigG = {hiddenSize: 1664, projectionDim: 1280};
  const vitH = {hiddenSize: 1280, projectionDim: 1024};
  const vitL = {hiddenSize: 1024, projectionDim: 768};
  const adapter = detectAdapterKind(tensorMap(plus));
  t.is(wrongEncoderMessage(adapter, vitH), undefined);
  t.regex(
    wrongEncoderMessage(adapter, bigG)!,
    /hidden states of 1280 .* got 1664, from CLIP ViT-bigG\/14 .* Use CLIP ViT-H\/14/,
  );

  const classic = detectAdapterKind(tensorMap({...attention(768), 'image_proj.proj.weight': [3072, 1024]}));
  t.is(wrongEncoderMessage(classic, vitH), undefined);
  t.regex(wrongEncoderMessage(classic, vitL)!, /pooled embeddings of 1024 .* got 768, .* Use CLIP ViT-H\/14/);

  const classicG = detectAdapterKind(tensorMap({...attention(768), 'image_proj.proj.weight': [3072, 1280]}));
  t.regex(wrongEncoderMessage(classicG, vitH)!, /Use CLIP ViT-bigG\/14/);
  t.regex(
    wrongEncoderMessage({...classic, imageWidth: 40}, vitH)!,
    /Use the image encoder that the adapter was trained with/,
  );
});
