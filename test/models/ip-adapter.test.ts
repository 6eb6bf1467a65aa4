import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {TensorType} from '../../lib/graph/tensor.ts';
import {
  adapterKeyValues,
  adapterTexts,
  type ImageTokensInputs,
  imageTokens,
} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import {parseUNetConfig} from '../../lib/models/unet-config.ts';
import type {AdapterDescription, ResamplerAdapter} from '../../lib/weights/adapter-kind.ts';
import {summarizeTrace, symbolic, symbolicWeights} from '../_helpers/symbolic.ts';

const base = {crossAttentionDim: 768, attentionLayers: 16};
const plus: ResamplerAdapter = {
  ...base,
  kind: 'plus',
  imageWidth: 1280,
  numTokens: 16,
  dim: 768,
  heads: 12,
  dimHead: 64,
  depth: 4,
  feedForwardMult: 4,
};
const instruction = {textWidth: 768, feedForwardMult: 2};
const instruct: ResamplerAdapter = {...plus, kind: 'instruct', instruction};
const paper: ResamplerAdapter = {
  ...plus,
  kind: 'instruct-paper',
  instruction: {...instruction, textWidth: 1024},
};
const classic: AdapterDescription = {...base, kind: 'classic', imageWidth: 1024, numTokens: 4};
const fullFace: AdapterDescription = {...base, kind: 'full-face', imageWidth: 1280, hiddenWidth: 1280};

const states = symbolic([2, 257, 1280]);
const text = symbolic([2, 77, 768]);

/** Types of the tensors that stand for what an adapter gets. */
interface InputTypes {
  readonly image: TensorType;
  readonly prompt?: TensorType;
  readonly instruction?: TensorType;
}

function tokensOf(adapter: AdapterDescription, types: InputTypes): readonly string[] {
  const fn = (inputs: ImageTokensInputs) => imageTokens(symbolicWeights(), adapter, inputs, 'bfloat16');
  return summarizeTrace(fn, {...types}).outputs;
}

test('each kind gives float32 tokens of the UNet’s width', t => {
  t.deepEqual(tokensOf(classic, {image: symbolic([2, 1024])}), ['f32[2, 4, 768]']);
  t.deepEqual(tokensOf(fullFace, {image: states}), ['f32[2, 257, 768]']);
  t.deepEqual(tokensOf(plus, {image: states}), ['f32[2, 16, 768]']);
  t.deepEqual(tokensOf(instruct, {image: states, prompt: text, instruction: text}), ['f32[2, 16, 768]']);
});

test('the paper’s form takes pooled embeddings as texts of one token', t => {
  t.deepEqual(tokensOf(paper, {image: states, instruction: symbolic([2, 1, 1024])}), ['f32[2, 16, 768]']);
});

test('names the texts of each kind in the order of attention', t => {
  t.deepEqual(
    [classic, fullFace, plus, paper, instruct].map(adapter => adapterTexts(adapter)),
    [[], [], [], ['instruction'], ['prompt', 'instruction']],
  );
});

test('never leaves out a text that the adapter attends to, nor drops one that it does not', t => {
  const refuses = (adapter: AdapterDescription, types: InputTypes, message: RegExp) =>
    t.throws(() => tokensOf(adapter, types), {instanceOf: ArgumentError, message});
  refuses(
    instruct,
    {image: states, prompt: text},
    /^instruction: expected text tokens, .*'instruct' attends/,
  );
  refuses(instruct, {image: states, instruction: text}, /^prompt: expected text tokens, /);
  refuses(
    paper,
    {image: states, prompt: text, instruction: text},
    /^prompt: expected none, .*would ignore them/,
  );
  refuses(plus, {image: states, instruction: text}, /^instruction: expected none, .*Give the image alone\.$/);
  refuses(classic, {image: symbolic([2, 1024]), instruction: text}, /^instruction: expected none/);
});

test('keys and values follow the order of the UNet’s cross-attentions', t => {
  const layers = crossAttentionLayers(parseUNetConfig({cross_attention_dim: 768}));
  const {outputs, weights} = summarizeTrace(
    ({tokens}) => adapterKeyValues(symbolicWeights(), layers, tokens, 'bfloat16'),
    {tokens: symbolic([3, 16, 768])},
  );
  t.deepEqual(
    outputs,
    layers.flatMap(({channels}) => [`bf16[3, 16, ${channels}]`, `bf16[3, 16, ${channels}]`]),
  );
  t.deepEqual(
    [...weights],
    layers.flatMap(({adapterIndex}) =>
      ['k', 'v'].map(name => `ip_adapter.${adapterIndex}.to_${name}_ip.weight`),
    ),
  );
});
