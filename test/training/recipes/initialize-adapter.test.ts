import test from 'ava';
import {WeightsError} from '../../../lib/errors.ts';
import type {Tensor} from '../../../lib/graph/tensor.ts';
import {describeAdapterWeights, imageTokens} from '../../../lib/models/ip-adapter.ts';
import {Weights} from '../../../lib/nn/weights.ts';
import type {HostTensor} from '../../../lib/pipelines/host-tensor.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';
import {
  type AdapterInitialization,
  initializeAdapter,
} from '../../../lib/training/recipes/initialize-adapter.ts';
import {TrainableWeights} from '../../../lib/training/trainable-weights.ts';
import type {ResamplerAdapter} from '../../../lib/weights/adapter-kind.ts';
import {relativeError} from '../../_helpers/relative-error.ts';
import {runModel} from '../../_helpers/run-model.ts';

const base = {
  imageWidth: 24,
  crossAttentionDim: 32,
  attentionLayers: 1,
  numTokens: 4,
  dim: 32,
  heads: 2,
  dimHead: 16,
  depth: 2,
  feedForwardMult: 4,
};
const plus: ResamplerAdapter = {...base, kind: 'plus'};
const text = {instruction: {textWidth: 32, feedForwardMult: 2}};
const adapters: readonly ResamplerAdapter[] = [
  {...base, ...text, kind: 'instruct'},
  {...base, ...text, kind: 'instruct-paper'},
];
const layers = [{adapterIndex: 1, channels: 8}];

const generator = new TorchGenerator(3);
const random = (shape: readonly number[]): HostTensor => ({shape, data: generator.randn(shape)});

const plusWeights = new Map(
  [...describeAdapterWeights(plus, layers)].map(([name, shape]) => [
    name,
    {shape, data: random(shape).data.map(x => x / 4)},
  ]),
);
const image = random([2, 5, base.imageWidth]);

async function tokensOf(
  adapter: ResamplerAdapter,
  weights: ReadonlyMap<string, HostTensor>,
  texts: Readonly<Record<string, HostTensor>> = {},
): Promise<Float32Array> {
  const [tokens] = await runModel(
    ({image: pixels, ...rest}: Readonly<Record<string, Tensor>>) => {
      const isText = (name: string) => name === 'prompt' || name === 'instruction';
      const entries = Object.entries(rest);
      const source = new TrainableWeights('a', name => rest[name]);
      const given = Object.fromEntries(entries.filter(([name]) => isText(name)));
      return imageTokens(new Weights(source), adapter, {image: pixels!, ...given}, 'float32');
    },
    {image, ...texts, ...Object.fromEntries(weights)},
  );
  return tokens!;
}

/** Random texts that the adapter reads. */
const textsOf = ({kind}: ResamplerAdapter) => ({
  instruction: random([2, 7, 32]),
  ...(kind === 'instruct' && {prompt: random([2, 7, 32])}),
});

const initialized = (adapter: ResamplerAdapter, initialization?: AdapterInitialization) =>
  initializeAdapter(
    describeAdapterWeights(adapter, layers),
    plusWeights,
    initialization === undefined ? {} : {initialization},
  );

for (const adapter of adapters) {
  test(`${adapter.kind}: at step 0 the adapter is the IP-Adapter+, whatever it is told`, async t => {
    const expected = await tokensOf(plus, plusWeights);
    const weights = initialized(adapter);
    for (let i = 0; i < 3; i++) {
      t.true(relativeError(await tokensOf(adapter, weights, textsOf(adapter)), expected) < 1e-5);
    }
  });

  test(`${adapter.kind}: the paper's noise moves the tokens a little, and all instructions alike`, async t => {
    const expected = await tokensOf(plus, plusWeights);
    const weights = initialized(adapter, 'paper');
    const [first, second] = [
      await tokensOf(adapter, weights, textsOf(adapter)),
      await tokensOf(adapter, weights, textsOf(adapter)),
    ];
    t.deepEqual(first, second);
    const moved = relativeError(first, expected);
    t.true(moved > 1e-6 && moved < 1e-2);
  });

  test(`${adapter.kind}: the released initialisation depends on the instruction from the start`, async t => {
    const weights = initialized(adapter, 'released');
    const one = await tokensOf(adapter, weights, textsOf(adapter));
    t.true(relativeError(await tokensOf(adapter, weights, textsOf(adapter)), one) > 1e-3);
  });
}

test('what the old parts need must be there, and nothing else', t => {
  const shapes = describeAdapterWeights(adapters[0]!, layers);
  const [name] = [...plusWeights.keys()];
  const without = new Map([...plusWeights].filter(([other]) => other !== name));
  t.throws(() => initializeAdapter(shapes, without), {instanceOf: WeightsError, message: new RegExp(name!)});
  const more = new Map([...plusWeights, ['stranger', random([2])] as const]);
  t.throws(() => initializeAdapter(shapes, more), {instanceOf: WeightsError, message: /stranger/});
});
