import type {ExecutionContext} from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {describeAdapterWeights} from '../../lib/models/ip-adapter.ts';
import {crossAttentionLayers} from '../../lib/models/unet.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {Trainer} from '../../lib/training/trainer.ts';
import type {TrainerOptions, TrainingEvent, WatchEvent} from '../../lib/training/trainer-options.ts';
import {liveThreads} from './live-threads.ts';
import {tempFolder} from './temp-folder.ts';
import {writeTrainingSet} from './training-set.ts';

/** A pipeline with small random weights. */
export const {models} = await IPAdapterInstructPipeline.random({adapter: 'instruct'});

/** Of the adapter that is trained. */
export const shapes = describeAdapterWeights(
  models.adapter!.adapter.description,
  crossAttentionLayers(models.denoiser.config),
);

const generator = new TorchGenerator(4);

/** Weights to begin with. */
export const initial = new Map<string, HostTensor>(
  [...shapes].map(([name, shape]) => {
    const scale = shape.length > 1 ? shape.at(-1)! ** -0.5 : 0.1;
    return [name, {shape, data: generator.randn(shape).map(x => x * scale)}];
  }),
);

/** A run of six steps in a folder of its own. */
export async function optionsFor(
  t: ExecutionContext,
  changes: Partial<TrainerOptions> = {},
): Promise<TrainerOptions> {
  return {
    models,
    dtype: 'float32',
    dataset: await openDataset(await writeTrainingSet(t)),
    initial,
    folder: await tempFolder(t),
    steps: 6,
    resolution: 64,
    learningRate: 1e-3,
    checkpointEvery: 2,
    keepCheckpoints: 2,
    seed: 11,
    ...changes,
  };
}

/** Trains to the end, or to a step. */
export async function trained(options: TrainerOptions, stopAfter?: number) {
  const trainer = await Trainer.create(options);
  const controller = new AbortController();
  const events: TrainingEvent[] = [];
  const seen: WatchEvent[] = [];
  const onStep = (event: TrainingEvent) => {
    events.push(event);
    if (event.step === stopAfter) controller.abort();
  };
  const onWatch = (event: WatchEvent) => seen.push(event);
  const result = await trainer.train({signal: controller.signal, onStep, onWatch}).finally(() => {
    if (liveThreads.size > 0) throw new Error(`${liveThreads.size} threads were left`);
  });
  const weights = await trainer.weights();
  trainer.dispose();
  return {result, events, seen, weights};
}
