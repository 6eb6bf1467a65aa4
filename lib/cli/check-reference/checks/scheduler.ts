import {readFile} from 'node:fs/promises';
import {z} from 'zod';
import {createScheduler} from '../../../schedulers/create-scheduler.ts';
import type {Scheduler} from '../../../schedulers/scheduler.ts';
import {parseSchedulerConfig} from '../../../schedulers/scheduler-config.ts';
import {type Measurement, measure, measureWhereGiven, moduleTolerance} from '../measurement.ts';
import type {ReferenceCase, ReferenceTensors} from '../reference-case.ts';
import type {ReferenceModels} from '../reference-models.ts';

const schema = z.object({scheduler: z.string(), steps: z.int(), init_noise_sigma: z.number().optional()});

/** The scheduler of that name, with the model's settings. */
export async function referenceScheduler(models: ReferenceModels, name: string): Promise<Scheduler> {
  const path = models.path('model', 'scheduler', 'scheduler_config.json');
  return createScheduler(name, parseSchedulerConfig(await readFile(path, 'utf8'), path));
}

/** A whole run, with a formula in the model's place. */
export async function checkScheduler(
  models: ReferenceModels,
  settings: ReferenceCase,
  tensors: ReferenceTensors,
): Promise<Measurement[]> {
  const {scheduler: name, steps, init_noise_sigma: initNoiseSigma} = schema.parse(settings);
  const scheduler = await referenceScheduler(models, name);
  scheduler.setTimesteps(steps);
  const {shape, data} = tensors.get('initial');
  const trajectory = new Float32Array(scheduler.timesteps.length * data.length);
  let sample: Float32Array = data.map(value => value * scheduler.initNoiseSigma);
  for (const step of scheduler.timesteps.keys()) {
    sample = scheduler.step(predictNoise(scheduler.scaleModelInput(sample, step)), step, sample);
    trajectory.set(sample, step * data.length);
  }
  const timesteps = Float32Array.from(scheduler.timesteps);
  const outputs = {
    timesteps: {shape: [timesteps.length], data: timesteps},
    trajectory: {shape: [timesteps.length, ...shape], data: trajectory},
    final: {shape, data: sample},
  };
  const measurements = measureWhereGiven(outputs, tensors, moduleTolerance);
  if (initNoiseSigma === undefined) return measurements;
  const [actual, expected] = [scheduler.initNoiseSigma, initNoiseSigma].map(value => ({
    shape: [],
    data: Float32Array.of(value),
  }));
  return [...measurements, measure('init_noise_sigma', actual!, expected!, moduleTolerance)];
}

/** What the cases put in the model's place (their setting `model` says so). */
function predictNoise(sample: Float32Array): Float32Array {
  return sample.map(z => 0.5 * z + 0.1 * Math.sin(3 * z));
}
