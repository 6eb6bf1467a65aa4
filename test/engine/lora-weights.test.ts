import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import {type HostWeight, HostWeights} from '../../lib/engine/host-weights.ts';
import {type LoraUpdate, LoraWeights} from '../../lib/engine/lora-weights.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {conv2d, linear} from '../../lib/nn/layers.ts';
import {type WeightSource, Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {collectGarbage} from '../_helpers/collect-garbage.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const device = openDevice('cpu');

/** Whole numbers from -8 to 8, which every dtype holds. */
const numbers = (seed: number, ...shape: readonly number[]): HostWeight => ({
  shape,
  data: Float32Array.from({length: shape.reduce((size, extent) => size * extent, 1)}, (_, i) =>
    Math.round(8 * Math.sin(seed + 7 * i)),
  ),
});

const base = new Map([
  ['proj.weight', numbers(1, 5, 6)],
  ['proj.bias', numbers(2, 5)],
  ['conv.weight', numbers(3, 4, 2, 3, 3)],
  ['conv.bias', numbers(4, 4)],
]);

/** Updates of both layers, of this rank. */
function updateOf(seed: number, rank: number, scale: number, weight: number) {
  const factors = new Map([
    ['proj.down', numbers(seed, rank, 6)],
    ['proj.up', numbers(seed + 1, 5, rank)],
    ['conv.down', numbers(seed + 2, rank, 2, 3, 3)],
    ['conv.up', numbers(seed + 3, 4, rank)],
  ]);
  const layerOf = (name: string) => [`${name}.weight`, {down: `${name}.down`, up: `${name}.up`, rank, scale}];
  const layers: LoraUpdate['layers'] = new Map(['proj', 'conv'].map(layerOf) as [string, never][]);
  return {factors, update: {factors: new HostWeights('lora', factors), layers, weight}};
}

/** The base with updates in its weights, in float64. */
function fused(updates: readonly ReturnType<typeof updateOf>[]): Map<string, HostWeight> {
  const sum = new Map(base);
  for (const name of ['proj', 'conv']) {
    const {shape, data} = base.get(`${name}.weight`)!;
    const columns = data.length / shape[0]!;
    const values = data.map((value, i) => {
      let total = value;
      for (const {factors, update} of updates) {
        const {rank, scale} = update.layers.get(`${name}.weight`)!;
        const [down, up] = ['down', 'up'].map(part => factors.get(`${name}.${part}`)!.data);
        for (let r = 0; r < rank; r++) {
          const product = up![Math.floor(i / columns) * rank + r]! * down![r * columns + (i % columns)]!;
          total += update.weight * scale * product;
        }
      }
      return total;
    });
    sum.set(`${name}.weight`, {shape, data: values});
  }
  return sum;
}

/** What both layers give, one after the other, by an engine of its own or a given one. */
async function layersOf(source: WeightSource, streamsWeights = false, given?: Engine) {
  const engine = given ?? new Engine(device);
  const weights = new Weights(source);
  const fn = engine.compile(
    'layers',
    ({x, picture}: {x: Tensor; picture: Tensor}) => [
      linear(weights.at('proj'), x, 5),
      conv2d(weights.at('conv'), picture, 4),
    ],
    {streamsWeights},
  );
  const [x, picture] = [numbers(8, 3, 6), numbers(9, 1, 4, 5, 2)];
  const inputs = {
    x: DeviceTensor.from(device, x.data, x.shape),
    picture: DeviceTensor.from(device, picture.data, picture.shape),
  };
  const outputs = (await fn.run(inputs)) as DeviceTensor[];
  const values = await Promise.all(outputs.map(output => output.toFloat32Array()));
  for (const tensor of [...outputs, ...Object.values(inputs)]) tensor.dispose();
  if (given === undefined) await engine.dispose();
  return values.flatMap(data => [...data]);
}

/** The base in a file of bfloat16. */
async function halfBase(t: ExecutionContext): Promise<FileWeights> {
  const path = join(await tempFolder(t), 'base.safetensors');
  const halves = ({shape, data}: HostWeight) => ({
    shape,
    dtype: 'bfloat16' as const,
    data: new Uint16Array(data.buffer).filter((_, i) => i % 2 === 1),
  });
  await writeSafetensors(path, new Map([...base].map(([name, weight]) => [name, halves(weight)])));
  return new FileWeights('m', (await openWeights(path)).tensors);
}

const updates = [updateOf(10, 1, 1, 0.5), updateOf(20, 3, 0.25, -1)];

test.serial(
  'a linear layer and a convolution: W + Σ weight · scale · up · down, prepared or streamed',
  async t => {
    const source = new LoraWeights(
      new HostWeights('m', base),
      updates.map(({update}) => update),
    );
    const expected = await layersOf(new HostWeights('m', fused(updates)));
    for (const streams of [false, true]) {
      const error = relativeError(await layersOf(source, streams), expected);
      t.true(error <= 1e-6, `${error}`);
    }
  },
);

test.serial('the sum is float32 where the base is bfloat16', async t => {
  const source = new LoraWeights(
    await halfBase(t),
    updates.map(({update}) => update),
  );
  const error = relativeError(await layersOf(source), await layersOf(new HostWeights('m', fused(updates))));
  t.true(error <= 1e-6, `${error}`);
});

test.serial('layers without updates have the very weights of the base', async t => {
  const [{update}] = updates as [ReturnType<typeof updateOf>];
  const layers = new Map([...update.layers].filter(([name]) => name === 'conv.weight'));
  const engine = new Engine(device);
  const plain = new HostWeights('m', base);
  await layersOf(plain, false, engine);
  collectGarbage();
  const before = memoryUsage().bufferBytes;
  const changed = new LoraWeights(plain, [{...update, layers}]);
  await layersOf(changed, false, engine);
  const added = memoryUsage().bufferBytes - before;
  t.true(added > 0);
  const conv = engine.compile('conv', ({x}: {x: Tensor}) => conv2d(new Weights(plain).at('conv'), x, 4));
  const recipes = conv.plan({x: {shape: [1, 4, 5, 2], dtype: 'float32'}}).recipes;
  const weight = recipes.find(({key}) => key.includes('pack'))!;
  t.is(added, engine.weights.plan(weight).bytes);
  await engine.dispose();
});

test.serial('what is made from changed weights is freed, and nothing else', async t => {
  const engine = new Engine(device);
  const plain = new HostWeights('m', base);
  const source = new LoraWeights(
    plain,
    updates.map(({update}) => update),
  );
  collectGarbage();
  const before = memoryUsage().bufferBytes;
  const expected = await layersOf(plain, false, engine);
  const packed = memoryUsage().bufferBytes - before;
  await layersOf(source, false, engine);
  await engine.weights.release(parameter => source.changes(parameter));
  const left = memoryUsage().bufferBytes - before;
  t.true(left > 0 && left < packed, 'the biases');
  t.deepEqual(await layersOf(plain, false, engine), expected);
  await engine.dispose();
});
