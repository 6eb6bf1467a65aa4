import test from 'ava';
import {RandomWeights} from '../../../lib/engine/random-weights.ts';
import type {RgbImage} from '../../../lib/images/image.ts';
import {clipScore, clipStyleScore} from '../../../lib/metrics/clip-scores.ts';
import {InstructionEncoder} from '../../../lib/pipelines/components/instruction-encoder.ts';
import {TextEncoder} from '../../../lib/pipelines/components/text-encoder.ts';
import {clipMetrics} from '../../../lib/training/watch/sample-metrics.ts';
import type {SampleRow} from '../../../lib/training/watch/validation-samples.ts';
import {models} from '../../_helpers/tiny-training.ts';

const adapter = models.adapter!;
const {imageEncoder} = adapter;
const settings = {engine: models.engine, dtype: 'float32' as const};

/** A text tower that projects to the size of the image encoder's embeddings. */
const {config, tokenizer} = models.textEncoder;
const {projectionDim} = imageEncoder.config;
const tower = new TextEncoder(settings, new RandomWeights('tower'), {...config, projectionDim}, tokenizer);
const withTower = {...adapter, instructionEncoder: new InstructionEncoder(tower, 'pooled')};

function picture(seed: number): RgbImage {
  const data = Uint8Array.from({length: 16 * 16 * 3}, (_, i) => (Math.sin(seed * 1000 + i) + 1) * 127);
  return {width: 16, height: 16, data};
}

function row(task: string, results: readonly RgbImage[], conditionPrompt?: string): SampleRow {
  const nowhere = {file: ''};
  const caption = conditionPrompt === undefined ? {} : {conditionPrompt};
  return {
    sample: {task, prompt: 'a lighthouse', place: '', target: nowhere, condition: nowhere, ...caption},
    condition: picture(1),
    target: picture(2),
    results: results.map(made => ({instruction: 'use it', picture: made})),
  };
}

const near = (a: number, b: number) => Math.abs(a - b) < 1e-5;

test('CLIP-I is 1 for the condition itself, and with the target for the target; means are of a task', async t => {
  const rows = [row('style', [picture(1), picture(2)]), row('face', [picture(1)])];
  const {metrics, leftOut} = await clipMetrics(adapter, rows);
  const {clipI, clipITarget} = metrics;
  t.true(near(clipI!['face']!, 1));
  t.true(clipITarget!['face']! < 0.999);
  // Condition and target took turns, so that both means are of 1 and of the similarity of the two.
  t.true(near(clipI!['style']!, (1 + clipITarget!['face']!) / 2));
  t.true(near(clipI!['style']!, clipITarget!['style']!));
  t.deepEqual(Object.keys(leftOut), ['clipP', 'clipT', 'clipS']);
  t.regex(leftOut.clipP!, /text tower/);
});

test('scores with texts are of the tower whose pooled embeddings the adapter reads', async t => {
  const made = picture(3);
  const rows = [row('style', [made], 'a ship'), row('face', [made])];
  const {metrics, leftOut} = await clipMetrics(withTower, rows);
  const embed = async (image: RgbImage) =>
    (await imageEncoder.encode(await imageEncoder.pixelValues(image), 'embeds')).data;
  const [prompt, caption] = [
    (await tower.embed(['a lighthouse'])).data,
    (await tower.embed(['a ship'])).data,
  ];
  const [embedded, condition] = [await embed(made), await embed(picture(1))];
  t.deepEqual(metrics.clipP, {style: clipScore(embedded, prompt), face: clipScore(embedded, prompt)});
  t.deepEqual(metrics.clipT, {style: clipScore(embedded, caption)});
  t.deepEqual(metrics.clipS, {style: clipStyleScore({picture: embedded, prompt, condition, caption})});
  t.deepEqual(leftOut, {});
});

test('without captions CLIP-T and CLIP-S are left out; a tower that gives tokens is another model', async t => {
  const {metrics, leftOut} = await clipMetrics(withTower, [row('face', [picture(3)])]);
  t.deepEqual(Object.keys(metrics), ['clipI', 'clipITarget', 'clipP']);
  t.deepEqual(Object.keys(leftOut), ['clipT', 'clipS']);
  t.regex(leftOut.clipS!, /conditionPrompt/);
  const tokens = {...adapter, instructionEncoder: new InstructionEncoder(tower, 'tokens')};
  t.deepEqual(Object.keys((await clipMetrics(tokens, [row('face', [picture(3)], 'a ship')])).metrics), [
    'clipI',
    'clipITarget',
  ]);
});
