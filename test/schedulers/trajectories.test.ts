import {readFileSync} from 'node:fs';
import test from 'ava';
import {createScheduler} from '../../lib/schedulers/create-scheduler.ts';
import {beginIndex, type Scheduler} from '../../lib/schedulers/scheduler.ts';
import type {SchedulerConfig} from '../../lib/schedulers/scheduler-config.ts';
import {relativeError} from '../_helpers/relative-error.ts';

/** A run of diffusers; see test/fixtures/README.md. */
interface Trajectory {
  readonly name: string;
  readonly config: SchedulerConfig;
  readonly steps: number;
  /** Image to image only, as are `original` and `noise`. */
  readonly strength?: number;
  readonly original?: readonly number[];
  readonly noise?: readonly number[];
  readonly beginIndex: number;
  /** Unit noise before it is scaled, or the noised original. */
  readonly initial: readonly number[];
  readonly initNoiseSigma: number;
  readonly timesteps: readonly number[];
  readonly trajectory: readonly (readonly number[])[];
  /** The noise that diffusers drew, in order, and how often in each step. */
  readonly draws: readonly (readonly number[])[];
  readonly drawsPerStep: readonly number[];
}

const url = new URL('../fixtures/schedulers/trajectories.json', import.meta.url);
const trajectories: readonly Trajectory[] = JSON.parse(readFileSync(url, 'utf8'));
const tolerance = 1e-6;

const predict = (sample: Float32Array) => sample.map(z => 0.5 * z + 0.1 * Math.sin(3 * z));

/** The sample that the run starts from. */
function startOf(scheduler: Scheduler, {original, noise, initial, ...run}: Trajectory): Float32Array {
  if (original === undefined || noise === undefined) {
    return Float32Array.from(initial, x => x * scheduler.initNoiseSigma);
  }
  return scheduler.addNoise(Float32Array.from(original), Float32Array.from(noise), run.beginIndex);
}

for (const run of trajectories) {
  test(`${run.name} follows diffusers step by step`, t => {
    const scheduler = createScheduler(run.config);
    scheduler.setTimesteps(run.steps);
    t.true(relativeError(scheduler.timesteps, run.timesteps) <= 1e-6);
    t.true(relativeError([scheduler.initNoiseSigma], [run.initNoiseSigma]) <= 1e-6);
    if (run.strength !== undefined) t.is(beginIndex(scheduler, run.strength), run.beginIndex);

    let sample = startOf(scheduler, run);
    if (run.strength !== undefined) t.true(relativeError(sample, run.initial) <= tolerance);
    const draws = run.draws.map(draw => Float32Array.from(draw));
    for (const [i, expected] of run.trajectory.entries()) {
      const stepIndex = run.beginIndex + i;
      const drawsLeft = draws.length;
      const modelOutput = predict(scheduler.scaleModelInput(sample, stepIndex));
      const next = scheduler.step(modelOutput, stepIndex, sample, () => draws.shift()!);
      t.is(drawsLeft - draws.length, run.drawsPerStep[i]!);
      // diffusers subtracts float32 numbers of the sample's size, up to 4096 with zero terminal SNR, and its
      // result is no better than that: so the input counts as a magnitude too, and each step starts from
      // diffusers' own sample.
      const magnitude = Math.max(...sample.map(Math.abs), ...expected.map(Math.abs));
      const error = Math.max(...next.map((value, j) => Math.abs(value - expected[j]!))) / magnitude;
      t.true(error <= tolerance, `step ${stepIndex}: relative error ${error}`);
      sample = Float32Array.from(expected);
    }
  });
}
