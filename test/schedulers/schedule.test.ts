import {readFileSync} from 'node:fs';
import test from 'ava';
import {createScheduler} from '../../lib/schedulers/create-scheduler.ts';
import type {SchedulerConfig} from '../../lib/schedulers/scheduler-config.ts';
import {roundHalfEven} from '../../lib/schedulers/timestep-spacing.ts';
import {relativeError} from '../_helpers/relative-error.ts';

interface TimestepsCase {
  readonly config: SchedulerConfig;
  readonly steps: number;
  readonly timesteps: readonly number[];
}

interface AlphasCase {
  readonly config: SchedulerConfig;
  readonly timesteps: readonly number[];
  readonly alphasCumprod: readonly number[];
}

function readFixture<Case>(name: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/schedulers/${name}.json`, import.meta.url), 'utf8'));
}

for (const {config, steps, timesteps} of readFixture<TimestepsCase>('timesteps')) {
  const {_class_name, timestep_spacing, use_karras_sigmas} = config;
  test(`${_class_name}, ${timestep_spacing}, ${use_karras_sigmas ? 'karras, ' : ''}${steps} steps`, t => {
    const scheduler = createScheduler(config);
    scheduler.setTimesteps(steps);
    // Fractions come of float32 logarithms, whose last bit NumPy and JavaScript do not share.
    if (timesteps.every(Number.isInteger)) t.deepEqual(scheduler.timesteps, timesteps);
    else t.true(relativeError(scheduler.timesteps, timesteps) <= 1e-6);
  });
}

for (const {config, timesteps, alphasCumprod} of readFixture<AlphasCase>('alphas-cumprod')) {
  test(`alphasCumprod of ${JSON.stringify(config)}`, t => {
    const scheduler = createScheduler(config);
    t.is(scheduler.alphasCumprod.length, scheduler.numTrainTimesteps);
    // Rescaling goes through square roots, whose last bit depends on the processor that PyTorch ran on.
    const tolerance = config['rescale_betas_zero_snr'] ? 1e-5 : 0;
    for (const [i, timestep] of timesteps.entries()) {
      const expected = Math.fround(alphasCumprod[i]!);
      const error = Math.abs(scheduler.alphasCumprod[timestep]! - expected);
      t.true(error <= tolerance * expected, `timestep ${timestep}: ${error}`);
    }
  });
}

test('roundHalfEven rounds as NumPy does', t => {
  const values = [-2.5, -1.5, -0.5, 0.4, 0.5, 0.6, 1.5, 2.5, 3];
  t.deepEqual(values.map(roundHalfEven).map(Math.abs), [2, 2, 0, 0, 0, 1, 2, 2, 3]);
});
