import test from 'ava';
import {rowsOf, splitRows, upload} from '../../../lib/pipelines/host-tensor.ts';
import {TorchGenerator} from '../../../lib/schedulers/torch-generator.ts';
import type {EncodedBatch} from '../../../lib/training/batches/encode-batch.ts';
import {TextTeacher} from '../../../lib/training/batches/text-teacher.ts';
import {adapterObjective} from '../../../lib/training/objectives/adapter.ts';
import {resolveTrainerOptions} from '../../../lib/training/trainer-options.ts';
import {relativeError} from '../../_helpers/relative-error.ts';
import {models, optionsFor} from '../../_helpers/tiny-training.ts';

test('the target of rows that are taught becomes what the base predicts with the prompts, by its share', async t => {
  const {denoiser, engine, textEncoder} = models;
  const generator = new TorchGenerator(5);
  const shape = [2, denoiser.config.inChannels, 8, 8];
  const drawn = () => ({shape, data: generator.randn(shape)});
  const latents = {
    noisy: drawn(),
    target: drawn(),
    timesteps: {shape: [2], data: Float32Array.of(40, 700)},
    weights: {shape: [2, 1, 1, 1], data: Float32Array.of(1, 1)},
  };
  const states = await textEncoder.encode(['a red teapot', 'a lighthouse'], 0);
  const mixed = async (share: number, isTaught = [true, true]) =>
    (
      await new TextTeacher(models, 'float32', share).targets(
        latents,
        rowsOf(splitRows(states)),
        isTaught,
        {},
      )
    ).data;

  // The pipeline's own way to a prediction.
  const {device} = engine;
  const [sample, timesteps, encoderHiddenStates] = [latents.noisy, latents.timesteps, states].map(tensor =>
    upload(device, tensor),
  );
  const predicted = await denoiser.step([]).run({
    sample: sample!,
    timeProjections: await denoiser.timeProjections.run({timesteps: timesteps!}),
    textKeyValues: await denoiser.textKeyValues.run({encoderHiddenStates: encoderHiddenStates!}),
  });
  const expected = await predicted.toFloat32Array();

  t.deepEqual(await mixed(0), latents.target.data);
  t.true(relativeError(await mixed(1), expected) < 1e-5);
  const quarter = expected.map((value, i) => 0.25 * value + 0.75 * latents.target.data[i]!);
  t.true(relativeError(await mixed(0.25), quarter) < 1e-5);
  const row = latents.target.data.length / 2;
  const second = await mixed(1, [false, true]);
  t.deepEqual(second.subarray(0, row), latents.target.data.subarray(0, row));
  t.true(relativeError(second.subarray(row), expected.subarray(row)) < 1e-5);
});

test('the teacher reads target prompts, which the adapter is not given; without one it is silent', async t => {
  const firstBatch = async (text: number, textTeacher?: number, isTold = true) => {
    const dropout = {text, image: 0, textAndImage: 0, instruction: 0};
    const given = await optionsFor(t, {batchSize: 2, dropout, textTeacher});
    const samples = given.dataset.samples.map(sample =>
      isTold ? {...sample, targetPrompt: sample.prompt} : sample,
    );
    const options = {...given, dataset: {...given.dataset, samples}};
    const batches = (await adapterObjective(resolveTrainerOptions(options))).openBatches();
    // An adapter's batches hold float32 only.
    const batch = (await batches.next(true)) as EncodedBatch;
    await batches.stop();
    return batch;
  };
  const told = await firstBatch(0);
  const untold = await firstBatch(1);
  const taught = await firstBatch(1, 1);
  t.notDeepEqual(told.encoderHiddenStates, untold.encoderHiddenStates);
  t.deepEqual(taught.encoderHiddenStates, untold.encoderHiddenStates);
  t.deepEqual(taught.noisy, untold.noisy);
  const teacher = new TextTeacher(models, 'float32', 1);
  t.deepEqual((await firstBatch(1, 1, false)).target, untold.target);
  t.deepEqual(taught.target, await teacher.targets(untold, told.encoderHiddenStates, [true, true], {}));
});
