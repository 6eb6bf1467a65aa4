import {readFileSync} from 'node:fs';
import test from 'ava';
import {clipText, parseClipTextConfig} from '../../lib/models/clip-text.ts';
import {adapterKeyValues, imageTokens} from '../../lib/models/ip-adapter.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {readTokenizerFiles} from '../../lib/tokenizer/tokenizer-files.ts';
import {detectAdapterKind} from '../../lib/weights/adapter-kind.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {assertParity, type ComputeCase, computeDTypes} from '../_helpers/parity.ts';
import {type FixtureTensor, readSafetensors} from '../_helpers/read-safetensors.ts';
import {type HostInput, runModel, weightsOf} from '../_helpers/run-model.ts';

const fixtures = new URL('../fixtures/', import.meta.url);
const pathOf = (name: string) => new URL(name, fixtures).pathname;
const readCase = (name: string) => readSafetensors(pathOf(name));

type TokenInputs = {readonly image: HostInput; readonly prompt?: HostInput; readonly instruction?: HostInput};

/** Runs an adapter file's projection. */
async function project(file: string, heads: number, inputs: TokenInputs, {dtype}: ComputeCase) {
  const {tensors} = await openWeights(pathOf(file));
  const adapter = detectAdapterKind(tensors, {heads});
  const weights = weightsOf('adapter', tensors);
  const [tokens] = await runModel(symbols => imageTokens(weights, adapter, symbols, dtype), inputs);
  return tokens;
}

const textEncoder = pathOf('reference/model/text_encoder');
const textConfig = parseClipTextConfig(JSON.parse(readFileSync(`${textEncoder}/config.json`, 'utf8')));
const tokenizer = new CLIPTokenizer(await readTokenizerFiles(pathOf('reference/model/tokenizer')));
const textWeights = weightsOf('text_encoder', (await openWeights(textEncoder)).tensors);

/** Hidden states of one text by the reference's text encoder. */
async function encodeText(text: string, {dtype}: ComputeCase): Promise<FixtureTensor> {
  const inputIds = {shape: [1, 77], data: tokenizer.encode(text).inputIds};
  const [states] = await runModel(symbols => clipText(textWeights, textConfig, symbols, dtype), {inputIds});
  return {shape: [1, 77, textConfig.hiddenSize], data: states!};
}

const {prompt, queries}: {prompt: string; queries: Record<string, string>} = JSON.parse(
  readFileSync(pathOf('reference/cases.json'), 'utf8'),
).cases.find(({name}: {name: string}) => name === 'projections');
const expected = readCase('reference/cases/projections.safetensors');
const vision = readCase('reference/cases/clip_vision.safetensors');
const odd = readCase('models/adapters-odd/case.safetensors');

const [float32] = computeDTypes;

test('IP-Adapter: the published projection', async t => {
  const embeds = vision['image_embeds']!;
  const zero = {shape: embeds.shape, data: new Float32Array(embeds.data.length)};
  for (const [name, image] of [
    ['ip_adapter', embeds],
    ['ip_adapter_uncond', zero],
  ] as const) {
    const tokens = await project('reference/ip-adapter.safetensors', 2, {image}, float32);
    assertParity(t, name, tokens, expected[name], float32);
  }
});

for (const compute of computeDTypes) {
  test(`IP-Adapter+: the published resampler in ${compute.dtype}`, async t => {
    for (const [name, image] of [
      ['plus', vision['penultimate']!],
      ['plus_uncond', vision['penultimate_zero']!],
    ] as const) {
      const tokens = await project('reference/ip-adapter-plus.safetensors', 2, {image}, compute);
      assertParity(t, name, tokens, expected[name], compute);
    }
  });

  test(`all projections of other sizes in ${compute.dtype}`, async t => {
    for (const [name, inputs] of [
      ['plus', {image: odd['image']!}],
      ['instruct', {image: odd['image']!, prompt: odd['prompt']!, instruction: odd['instruction']!}],
      // Its instruction is a text of one token.
      ['instruct-paper', {image: odd['image']!, instruction: odd['prompt']!}],
      ['full-face', {image: odd['image']!}],
    ] as const) {
      const tokens = await project(`models/adapters-odd/${name}.safetensors`, 3, inputs, compute);
      assertParity(t, name, tokens, odd[name.replace('-', '_')], compute);
    }
  });

  test(`IPAdapter-Instruct: both forms, in ${compute.dtype}`, async t => {
    const image = vision['penultimate']!;
    const promptStates = await encodeText(prompt, compute);
    for (const [query, text] of Object.entries(queries)) {
      const instruction = await encodeText(text, compute);
      const texts = {prompt: promptStates, instruction};
      const released = await project(
        'reference/ip-adapter-instruct.safetensors',
        2,
        {image, ...texts},
        compute,
      );
      assertParity(t, query, released, expected[`instruct_${query}`], compute);
      const paper = await project(
        'reference/ip-adapter-instruct-paper.safetensors',
        2,
        {image, instruction},
        compute,
      );
      assertParity(t, `${query}, paper`, paper, expected[`instruct_paper_${query}`], compute);
    }
  });

  test(`keys and values of each layer in ${compute.dtype}`, async t => {
    const {tensors} = await openWeights(pathOf('models/adapters-odd/instruct.safetensors'));
    const weights = weightsOf('adapter', tensors);
    const layers = [
      {adapterIndex: 1, channels: 8},
      {adapterIndex: 3, channels: 12},
    ];
    const results = await runModel(({tokens}) => adapterKeyValues(weights, layers, tokens, compute.dtype), {
      tokens: odd['instruct']!,
    });
    for (const [index, name] of ['key_1', 'value_1', 'key_3', 'value_3'].entries()) {
      assertParity(t, name, results[index], odd[name], compute);
    }
  });
}
