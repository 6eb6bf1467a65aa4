import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import {factorGroups} from '../../../lib/datasets/world/factor-groups.ts';
import {renderPicture} from '../../../lib/datasets/world/render.ts';
import {Engine} from '../../../lib/engine/engine.ts';
import {RandomWeights} from '../../../lib/engine/random-weights.ts';
import {FileError} from '../../../lib/errors.ts';
import {loadFactorReader} from '../../../lib/evaluation/factors/load-factor-reader.ts';
import {parseAutoencoderKLConfig} from '../../../lib/models/autoencoder-kl.ts';
import {Autoencoder} from '../../../lib/pipelines/components/autoencoder.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {factorReaderObjective} from '../../../lib/training/objectives/factor-reader.ts';
import {Trainer} from '../../../lib/training/trainer.ts';
import {modelTrainingSettings} from '../../../lib/training/trainer-options.ts';
import {batchNumbers} from '../../_helpers/batch-numbers.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const settings = {engine: new Engine(openDevice('cpu'), {keepsWeights: true}), dtype: 'float32' as const};

const vae = new Autoencoder(
  settings,
  new RandomWeights('vae'),
  parseAutoencoderKLConfig({
    block_out_channels: [8, 8],
    down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
    up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
    norm_num_groups: 4,
  }),
);

const training = modelTrainingSettings.parse({
  steps: 12,
  batchSize: 8,
  learningRate: 3e-3,
  checkpointEvery: 4,
});

const objective = factorReaderObjective({
  ...settings,
  config: {sample_size: 32, block_out_channels: [8, 16], norm_num_groups: 4, hidden_size: 32},
  training,
  vae,
  noise: 0.1,
});

test('batches are equal for equal seeds and places, and every other one comes through the autoencoder', async t => {
  const batches = objective.openBatches();
  const [first, second] = [await batches.next(), await batches.next()];
  const {state} = batches;
  t.is(state.draws, 16);
  const third = await batches.next();
  await batches.stop();
  const again = objective.openBatches();
  t.deepEqual(await again.next(), first);
  t.deepEqual(await objective.openBatches(state).next(), third);
  // What a random autoencoder gives back is no picture of pixels between -1 and 1 and a little noise.
  const isNearPixels = (value: number) => Math.abs(value) < 1.6;
  t.true(batchNumbers(first.pictures).every(isNearPixels));
  t.notDeepEqual(first.pictures, second.pictures);
  // Each picture is a scene or a portrait, and has a style.
  const width = first.targets.shape[1]!;
  for (let row = 0; row < 8; row++) {
    const targets = batchNumbers(first.targets).slice(row * width, (row + 1) * width);
    t.is(targets[0]! + targets[1]!, 1);
    t.true(targets.every(value => value === 0 || value === 1));
  }
  await again.stop();
});

test('a reader learns, stops and goes on with equal bits', async t => {
  const train = async (folder: string, stopAfter = training.steps) => {
    const trainer = await Trainer.begin(objective, {...training, folder});
    const controller = new AbortController();
    const losses: number[] = [];
    const onStep = ({step, loss}: {step: number; loss: number}) => {
      losses.push(loss);
      if (step === stopAfter) controller.abort();
    };
    await trainer.train({signal: controller.signal, onStep});
    const weights = await trainer.weights();
    trainer.dispose();
    return {losses, weights};
  };
  const folder = await tempFolder(t);
  const {losses, weights} = await train(join(folder, 'whole'));
  t.log(`loss from ${losses[0]} to ${losses.at(-1)}`);
  t.true(losses.at(-1)! < 0.9 * losses[0]!);
  const broken = join(folder, 'broken');
  await train(broken, 5);
  const resumed = (await train(broken)).weights;
  t.deepEqual(new Map([...weights.keys()].map(name => [name, resumed.get(name)])), weights);

  const checkpoint = join(folder, 'whole', 'checkpoint-00000012');
  const reader = await loadFactorReader(settings, checkpoint);
  const picture = await renderPicture(drawScene(new Choices(3)), 64);
  const [alone] = await reader.read([picture]);
  t.deepEqual(Object.keys(alone!).sort(), factorGroups.map(({name}) => name).sort());
  t.deepEqual((await reader.read([picture, picture]))[1], alone);
  const config = JSON.parse(await readFile(join(checkpoint, 'config.json'), 'utf8'));
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify({...config, labels: ['type/scene']}));
  await t.throwsAsync(loadFactorReader(settings, checkpoint), {instanceOf: FileError, message: /classes/});
});
