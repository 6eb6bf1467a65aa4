import test from 'ava';
import {RandomWeights} from '../../lib/engine/random-weights.ts';
import {embedInstructions, mapInstructions} from '../../lib/evaluation/instruction-map.ts';
import {InstructionEncoder} from '../../lib/pipelines/components/instruction-encoder.ts';
import {TextEncoder} from '../../lib/pipelines/components/text-encoder.ts';
import {models} from '../_helpers/tiny-training.ts';

const {instructionEncoder} = models.adapter!;
const {config, tokenizer} = instructionEncoder.encoder;

const pools = {
  style: ['use the style', 'take the style', 'the same style', 'in this style'],
  face: ['use the face', 'keep the face', 'the same face', 'with this face'],
};
const dataset = {folder: '', samples: [], problems: [], instructions: new Map(Object.entries(pools))};
const options = {instructionsPerTask: 3, perplexity: 30, seed: 1, fixedInstructions: {style: 'style'}};

test('an embedding is the mean of the own states of an instruction, without those of its padding', async t => {
  const text = 'use the style';
  const [embedding] = await embedInstructions(instructionEncoder, [text], {});
  const {data} = await instructionEncoder.encode([text]);
  const own = tokenizer.encode(text).tokenCount + 2;
  const sums = Array.from({length: config.hiddenSize}, (_, channel) =>
    Array.from({length: own}, (_, token) => data[token * config.hiddenSize + channel]!).reduce(
      (a, b) => a + b,
    ),
  );
  const length = Math.hypot(...sums);
  t.true(sums.every((sum, i) => Math.abs(sum / length - embedding![i]!) < 1e-6));
});

test('of a tower with a projection it is the pooled embedding', async t => {
  const settings = {engine: models.engine, dtype: 'float32' as const};
  const tower = new TextEncoder(
    settings,
    new RandomWeights('tower'),
    {...config, projectionDim: 24},
    tokenizer,
  );
  const texts = ['use the style', 'use the face'];
  const embeddings = await embedInstructions(new InstructionEncoder(tower, 'pooled'), texts, {});
  const {data} = await tower.embed(texts);
  for (const [i, embedding] of embeddings.entries()) {
    const pooled = data.subarray(24 * i, 24 * (i + 1));
    const cosine = embedding.reduce((sum, x, j) => sum + x * pooled[j]!, 0) / Math.hypot(...pooled);
    t.true(Math.abs(cosine - 1) < 1e-5);
  }
});

test('a map has so many of each task, and the fixed ones', async t => {
  const map = (await mapInstructions(instructionEncoder, dataset, options))!;
  t.deepEqual(
    map.instructions.map(({task, isFixed}) => `${task}${isFixed ? ' fixed' : ''}`),
    ['style', 'style', 'style', 'style fixed', 'face', 'face', 'face'],
  );
  for (const {task, instruction, isFixed, point} of map.instructions) {
    t.true(isFixed || pools[task as keyof typeof pools].includes(instruction));
    t.true(point.every(Number.isFinite));
  }
  t.is(map.perplexity, 2);
  t.deepEqual(await mapInstructions(instructionEncoder, dataset, options), map);
});

test('too few instructions, or one task alone, make no map', async t => {
  const few = {...options, instructionsPerTask: 1};
  t.is(await mapInstructions(instructionEncoder, dataset, few), undefined);
  const alone = {
    ...dataset,
    instructions: new Map([['style', Array.from({length: 9}, (_, i) => `style ${i}`)]]),
  };
  t.is(await mapInstructions(instructionEncoder, alone, options), undefined);
});
