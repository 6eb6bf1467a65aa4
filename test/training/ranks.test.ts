import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type Dataset, openDataset} from '../../lib/datasets/dataset.ts';
import {Engine} from '../../lib/engine/engine.ts';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {binary, reduceSum, reshape} from '../../lib/graph/ops/index.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import type {Communicator} from '../../lib/runtime/communicator.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {rowsOfRank} from '../../lib/training/batches/rows-of-rank.ts';
import type {Objective} from '../../lib/training/objective.ts';
import {autoencoderObjective} from '../../lib/training/objectives/autoencoder.ts';
import {factorReaderObjective} from '../../lib/training/objectives/factor-reader.ts';
import {unetObjective} from '../../lib/training/objectives/unet.ts';
import type {NamedTensors} from '../../lib/training/trainable-weights.ts';
import {Trainer} from '../../lib/training/trainer.ts';
import {modelTrainingSettings, type TrainingEvent} from '../../lib/training/trainer-options.ts';
import {batchNumbers} from '../_helpers/batch-numbers.ts';
import {rankGroup} from '../_helpers/rank-group.ts';
import {relativeError} from '../_helpers/relative-error.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {models, optionsFor, trained} from '../_helpers/tiny-training.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

interface Run {
  readonly events: readonly TrainingEvent[];
  readonly weights: ReadonlyMap<string, HostTensor>;
}

function assertNear(t: ExecutionContext, run: Run, expected: Run): void {
  t.is(run.events.length, expected.events.length);
  for (const [index, {loss, gradientNorm}] of run.events.entries()) {
    const other = expected.events[index]!;
    t.true(Math.abs(loss / other.loss - 1) < 1e-5, `loss ${loss} beside ${other.loss}`);
    t.true(Math.abs(gradientNorm / other.gradientNorm - 1) < 1e-4, `${gradientNorm}, ${other.gradientNorm}`);
  }
  for (const [name, {data}] of expected.weights) {
    const error = relativeError(run.weights.get(name)!.data, data);
    t.true(error < 1e-3, `${name}: ${error}`);
  }
}

for (const size of [2, 4]) {
  test.serial(`${size} ranks take the steps of one process, in buckets too`, async t => {
    const dataset = await openDataset(
      await writeTrainingSet(t, {
        sizes: [
          [48, 32],
          [32, 32],
        ],
      }),
    );
    const buckets = [
      [64, 64],
      [128, 64],
    ] as const;
    const options = await optionsFor(t, {
      steps: 3,
      dataset,
      buckets,
      batchSize: 4,
      accumulate: 2,
      maxGradientNorm: 1,
      numWorkers: 0,
    });
    const alone = await trained(options);
    const folder = await tempFolder(t);
    const ranks = await Promise.all(
      rankGroup(size).map(communicator => trained({...options, folder, communicator})),
    );
    for (const rank of ranks) assertNear(t, rank, alone);
    // Not only near each other: ranks that part would go on parting.
    for (const {weights} of ranks) t.deepEqual([...weights], [...ranks[0]!.weights]);
  });
}

test.serial('a run goes on with another number of ranks, from the same checkpoints', async t => {
  const options = await optionsFor(t, {batchSize: 2, ema: {decay: 0.9}, numWorkers: 0});
  const alone = await trained(options);
  const folder = await tempFolder(t);
  const two = (stopAfter: number) =>
    Promise.all(rankGroup(2).map(communicator => trained({...options, folder, communicator}, stopAfter)));
  const [first] = await two(2);
  const second = await trained({...options, folder}, 4);
  const [third] = await two(6);
  const events = [...first!.events, ...second.events, ...third!.events];
  assertNear(t, {events, weights: third!.weights}, alone);
});

test.serial('all ranks end at the step at which one is told to; rank 0 alone writes', async t => {
  const options = await optionsFor(t, {batchSize: 2, checkpointEvery: 100, numWorkers: 0});
  const folders = [await tempFolder(t), join(await tempFolder(t), 'none')];
  const [first, second] = await Promise.all(
    rankGroup(2).map((communicator, rank) =>
      trained({...options, folder: folders[rank]!, communicator}, rank === 1 ? 3 : undefined),
    ),
  );
  t.deepEqual(first!.result, {step: 3, isFinished: false, problems: []});
  t.deepEqual(second!.result, first!.result);
  t.deepEqual((await readdir(folders[0]!)).sort(), ['checkpoint-00000003', 'metrics.jsonl', 'tensorboard']);
  await t.throwsAsync(stat(folders[1]!), {code: 'ENOENT'});
});

const engine = new Engine(openDevice('cpu'));

/** Learns the mean of numbers, [B, 1]; of which some are no numbers. */
function meanObjective(numbers: readonly number[]): Objective<{readonly x: Tensor}> {
  return {
    engine,
    dtype: 'float32',
    label: 'mean',
    initial: new Map([['guess', {shape: [1], data: Float32Array.of(0)}]]),
    files: {weights: 'mean.safetensors', companions: new Map()},
    lossOf(weights, {x}) {
      const guess = reshape({x: weights.tensor('guess', [1])}, {shape: [1, 1]});
      const difference = binary({a: x, b: guess}, {kind: 'subtract'});
      const squares = binary({a: difference, b: difference}, {kind: 'multiply'});
      const total = reduceSum({x: squares}, {shape: [1, 1], dtype: 'float32'});
      return {loss: reshape({x: total}, {shape: [1]})};
    },
    openBatches(state, place) {
      let draws = state?.draws ?? 0;
      return {
        get state() {
          return {draws, taken: {}, waiting: []};
        },
        problems: [],
        async next() {
          const rows = rowsOfRank(numbers.slice(draws, draws + 2), place);
          draws += 2;
          return {x: {shape: [rows.length, 1], data: Float32Array.from(rows)}};
        },
        stop: async () => {},
      };
    },
  };
}

async function begin(
  t: ExecutionContext,
  communicator: Communicator,
  objective: Objective<{readonly x: Tensor}>,
  folder?: string,
) {
  const settings = modelTrainingSettings.parse({
    steps: 3,
    batchSize: 2,
    learningRate: 0.1,
    checkpointEvery: 1,
  });
  return Trainer.begin(objective, {...settings, folder: folder ?? (await tempFolder(t)), communicator});
}

test('a step that is not finite on one rank is passed over by all', async t => {
  const objective = meanObjective([1, 2, 3, Number.POSITIVE_INFINITY, 5, 6]);
  const runs = await Promise.all(
    rankGroup(2).map(async communicator => {
      const trainer = await begin(t, communicator, objective);
      const skipped: boolean[] = [];
      await trainer.train({onStep: ({isSkipped}) => skipped.push(isSkipped)});
      return {skipped, weights: [...(await trainer.weights())]};
    }),
  );
  for (const {skipped, weights} of runs) {
    t.deepEqual(skipped, [false, true, false]);
    t.deepEqual(weights, runs[0]!.weights);
  }
});

test('ranks that see different checkpoints do not begin', async t => {
  const objective = meanObjective([1, 2, 3, 4, 5, 6]);
  const [alone] = rankGroup(1);
  const folder = await tempFolder(t);
  await (await begin(t, alone!, objective, folder)).train();
  const other = await tempFolder(t);
  const both = rankGroup(2).map((communicator, rank) =>
    t.throwsAsync(begin(t, communicator, objective, rank === 0 ? folder : other), {
      instanceOf: FileError,
      message: new RegExp(`rank 0 goes on from step 3, .*: rank ${rank} from step ${rank === 0 ? 3 : 0}`),
    }),
  );
  await Promise.all(both);
});

test('a batch that ranks cannot share out is refused', async t => {
  const objective = meanObjective([1, 2]);
  const [rank] = rankGroup(3);
  await t.throwsAsync(begin(t, rank!, objective), {
    instanceOf: ArgumentError,
    message: /batchSize: expected a multiple of 3, .* got 2/,
  });
  const [one] = rankGroup(2);
  await t.throwsAsync(begin(t, one!, {...objective, couplesSamples: true}), {
    instanceOf: ArgumentError,
    message: /compares all samples of a batch, which 2 ranks cannot share out/,
  });
});

const training = modelTrainingSettings.parse({steps: 2, batchSize: 4, resolution: 64, numWorkers: 0});
const setup = {engine: models.engine, dtype: 'float32' as const, training};

type OpensBatches = Pick<Objective<NamedTensors>, 'openBatches'>;

const objectives: Readonly<Record<string, (dataset: Dataset) => OpensBatches | Promise<OpensBatches>>> = {
  'factor reader': () =>
    factorReaderObjective({
      ...setup,
      config: {sample_size: 32, block_out_channels: [8, 16], norm_num_groups: 4, hidden_size: 32},
      vae: models.vae,
      noise: 0.1,
    }),
  autoencoder: dataset =>
    autoencoderObjective({
      ...setup,
      dataset,
      config: {
        block_out_channels: [8, 16],
        down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
        up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
        norm_num_groups: 4,
      },
      klWeight: 1e-6,
    }),
  UNet: dataset =>
    unetObjective({
      ...setup,
      ...models,
      dataset,
      config: {
        block_out_channels: [16, 32],
        down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
        up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
        layers_per_block: 1,
        attention_head_dim: 2,
        cross_attention_dim: models.textEncoder.config.hiddenSize,
        norm_num_groups: 8,
      },
      dropText: 0.5,
    }),
};

for (const [name, make] of Object.entries(objectives)) {
  test.serial(`${name}: the batches of ranks are together those of one process`, async t => {
    const objective = await make(await openDataset(await writeTrainingSet(t)));
    const alone = objective.openBatches();
    const ranks = rankGroup(2).map(place => objective.openBatches(undefined, place));
    for (let batch = 0; batch < 2; batch++) {
      const whole = await alone.next();
      const parts = await Promise.all(ranks.map(rank => rank.next()));
      for (const [key, tensor] of Object.entries(whole)) {
        const joined = parts.flatMap(part => batchNumbers(part[key]!));
        t.deepEqual(joined, batchNumbers(tensor), key);
      }
    }
    for (const rank of ranks) t.deepEqual(rank.state, alone.state);
    await Promise.all([alone, ...ranks].map(batches => batches.stop()));
  });
}
