// A small reader learns from drawn pictures: all of its parts have gradients, and labels fit pictures.
import test from 'ava';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors} from '../../../lib/datasets/world/draw-factors.ts';
import {factorClassLabels, factorGroups} from '../../../lib/datasets/world/factor-groups.ts';
import {factorTargets, labelsOf} from '../../../lib/datasets/world/factor-labels.ts';
import {renderPicture} from '../../../lib/datasets/world/render.ts';
import {Engine} from '../../../lib/engine/engine.ts';
import {RandomWeights} from '../../../lib/engine/random-weights.ts';
import {readFactors} from '../../../lib/evaluation/factors/read-factors.ts';
import type {Tensor} from '../../../lib/graph/tensor.ts';
import {toPlanes} from '../../../lib/images/to-planes.ts';
import {
  describeFactorReaderWeights,
  factorReader,
  parseFactorReaderConfig,
} from '../../../lib/models/factor-reader.ts';
import {Weights} from '../../../lib/nn/weights.ts';
import type {HostTensor} from '../../../lib/pipelines/host-tensor.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {DeviceTensor} from '../../../lib/runtime/device-tensor.ts';
import {AdamW} from '../../../lib/training/adamw.ts';
import {factorLoss} from '../../../lib/training/factor-loss.ts';
import {stateGradients} from '../../../lib/training/state-gradients.ts';
import type {NamedTensors} from '../../../lib/training/trainable-weights.ts';

const side = 32;
const batchSize = 16;
const config = parseFactorReaderConfig({
  labels: factorClassLabels,
  sample_size: side,
  block_out_channels: [8, 16, 16],
  norm_num_groups: 4,
  hidden_size: 64,
});
const engine = new Engine(openDevice('cpu'));

interface Batch {
  readonly pictures: DeviceTensor;
  readonly targets: DeviceTensor;
}

async function drawBatch(seed: number) {
  const drawn = Array.from({length: batchSize}, (_, i) => drawFactors(new Choices(seed * batchSize + i)));
  const labels = drawn.map(labelsOf);
  const images = await Promise.all(drawn.map(factors => renderPicture(factors, side)));
  const planes = images.map(image => toPlanes(image, value => value / 127.5 - 1));
  const stack = (rows: readonly Float32Array[], ...shape: number[]) => {
    const data = new Float32Array(rows.length * rows[0]!.length);
    for (const [row, values] of rows.entries()) data.set(values, row * values.length);
    return DeviceTensor.from(engine.device, data, [rows.length, ...shape]);
  };
  const batch: Batch = {
    pictures: stack(planes, 3, side, side),
    targets: stack(labels.map(factorTargets), factorClassLabels.length),
  };
  return {labels, batch};
}

async function randomWeights(): Promise<Map<string, HostTensor>> {
  const source = new Weights(new RandomWeights('reader'));
  const shapes = describeFactorReaderWeights(config);
  const draw = engine.compile('initialize', () =>
    Object.fromEntries([...shapes].map(([name, shape]) => [name, source.tensor(name, shape)])),
  );
  const entries = Object.entries(await draw.run({})).map(
    async ([name, tensor]) => [name, {shape: tensor.shape, data: await tensor.toFloat32Array()}] as const,
  );
  return new Map(await Promise.all(entries));
}

type StepInputs = {readonly state: NamedTensors; readonly pictures: Tensor; readonly targets: Tensor};

test('learns from drawn pictures', async t => {
  const batches = await Promise.all(Array.from({length: 4}, (_, seed) => drawBatch(seed)));
  const sizes = factorGroups.map(({classes}) => classes.length);
  const step = engine.compile('train', ({state, pictures, targets}: StepInputs) =>
    stateGradients(
      'reader',
      state,
      weights => {
        const logits = factorReader(weights, config, pictures);
        return {loss: factorLoss(logits, targets, sizes), logits};
      },
      {recompute: false},
    ),
  );
  const optimizer = AdamW.begin(engine, await randomWeights());
  const pass = async (learningRate: number) => {
    const read: boolean[] = [];
    let sum = 0;
    for (const {labels, batch} of batches) {
      const {loss, logits, gradients} = await step.run({state: optimizer.state, ...batch});
      for (const [name, gradient] of Object.entries(gradients)) {
        t.true((await gradient.toFloat32Array()).some(Boolean), name);
      }
      sum += (await loss.toFloat32Array())[0]!;
      const rows = readFactors(await logits.toFloat32Array());
      read.push(...rows.map((row, i) => row.style.label === labels[i]!.style));
      await optimizer.step(gradients, {learningRate});
    }
    return {loss: sum / batches.length, style: {hits: read.filter(Boolean).length, count: read.length}};
  };
  const first = await pass(3e-3);
  for (let epoch = 1; epoch < 8; epoch++) await pass(3e-3);
  const last = await pass(0);
  t.is(first.style.count, batches.length * batchSize);
  t.true(first.loss / last.loss > 1.5, `${first.loss} ${last.loss}`);
  t.true(last.style.hits > 2 * first.style.hits, `${first.style.hits} ${last.style.hits}`);
  optimizer.dispose();
});
