import {readFileSync} from 'node:fs';
import test from 'ava';
import {createScheduler} from '../../lib/schedulers/create-scheduler.ts';
import {parseSchedulerConfig} from '../../lib/schedulers/scheduler-config.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

interface SchedulerCase {
  readonly kind: string;
  readonly name: string;
  readonly scheduler: string;
  readonly steps: number;
  readonly init_noise_sigma: number;
}

const reference = new URL('../fixtures/reference/', import.meta.url);
const {cases}: {cases: SchedulerCase[]} = JSON.parse(readFileSync(new URL('cases.json', reference), 'utf8'));
const modelConfig = parseSchedulerConfig(
  readFileSync(new URL('model/scheduler/scheduler_config.json', reference), 'utf8'),
  'scheduler_config.json',
);

/** The stand-in for a UNet that the reference cases were made with. */
const predictNoise = (sample: Float32Array) => sample.map(z => 0.5 * z + 0.1 * Math.sin(3 * z));

for (const {name, scheduler: schedulerName, steps, init_noise_sigma} of cases.filter(
  c => c.kind === 'scheduler',
)) {
  test(`${name} follows diffusers step by step`, t => {
    const tensors = readSafetensors(new URL(`cases/${name}.safetensors`, reference));
    const trajectory = tensors['trajectory']!.data;
    const scheduler = createScheduler(schedulerName, modelConfig);
    scheduler.setTimesteps(steps);
    t.deepEqual(scheduler.timesteps, [...tensors['timesteps']!.data]);
    t.true(Math.abs(scheduler.initNoiseSigma / init_noise_sigma - 1) < 1e-6);

    let sample: Float32Array = tensors['initial']!.data.map(x => x * scheduler.initNoiseSigma);
    const size = sample.length;
    for (const stepIndex of scheduler.timesteps.keys()) {
      const modelOutput = predictNoise(scheduler.scaleModelInput(sample, stepIndex));
      sample = scheduler.step(modelOutput, stepIndex, sample);
      const expected = trajectory.subarray(stepIndex * size, (stepIndex + 1) * size);
      const error = relativeError(sample, expected);
      t.true(error <= 1e-6, `step ${stepIndex}: relative error ${error}`);
    }
    t.true(relativeError(sample, tensors['final']!.data) <= 1e-6);
  });
}
