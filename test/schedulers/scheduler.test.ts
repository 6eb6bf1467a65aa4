import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {createScheduler, schedulerNames} from '../../lib/schedulers/create-scheduler.ts';
import {beginIndex, type Scheduler} from '../../lib/schedulers/scheduler.ts';
import type {SchedulerConfig} from '../../lib/schedulers/scheduler-config.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const size = 12;
const randn = (seed: number) => new TorchGenerator(seed).randn([size]);

/** Stable Diffusion's, but ending in a sample free of noise. */
const config: SchedulerConfig = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  clip_sample: false,
  set_alpha_to_one: true,
};

function prepared(name: string, steps: number, settings: SchedulerConfig = {}): Scheduler {
  const scheduler = createScheduler(name, {...config, ...settings});
  scheduler.setTimesteps(steps);
  return scheduler;
}

/** The noise in a sample of a known original, which a perfect model predicts. */
function trueNoise(scheduler: Scheduler, sample: Float32Array, stepIndex: number, original: Float32Array) {
  const alpha = scheduler.addNoise(Float32Array.of(1), Float32Array.of(0), stepIndex)[0]!;
  const sigma = scheduler.addNoise(Float32Array.of(0), Float32Array.of(1), stepIndex)[0]!;
  return sample.map((x, i) => (x - alpha * original[i]!) / sigma);
}

/** Runs a scheduler from `start` with the perfect model. */
function denoise(scheduler: Scheduler, original: Float32Array, start: number, seed: number): Float32Array {
  const generator = new TorchGenerator(seed);
  let sample = scheduler.addNoise(original, generator.randn([size]), start);
  for (let stepIndex = start; stepIndex < scheduler.timesteps.length; stepIndex++) {
    const modelOutput = trueNoise(scheduler, sample, stepIndex, original);
    sample = scheduler.step(modelOutput, stepIndex, sample, () => generator.randn([size]));
  }
  return sample;
}

const seeds = fc.nat(1000);
const stepCounts = fc.integer({min: 2, max: 30});
const strengths = fc.double({min: 0.5, max: 1, noNaN: true});

for (const name of schedulerNames) {
  if (name === 'lcm') continue; // Its boundary condition leaves a trace of the noise.
  test(`${name} with a perfect model gives the original`, t => {
    const law = fc.property(seeds, stepCounts, (seed, steps) => {
      const original = randn(seed + 1);
      return relativeError(denoise(prepared(name, steps), original, 0, seed), original) < 1e-4;
    });
    t.notThrows(() => fc.assert(law, {numRuns: 50}));
  });

  // These two count from the start of the schedule, as in diffusers.
  if (name === 'lms' || name === 'pndm') continue;
  test(`${name} with a perfect model gives the original from any step on`, t => {
    const law = fc.property(seeds, stepCounts, strengths, (seed, steps, strength) => {
      const scheduler = prepared(name, steps);
      const original = randn(seed + 1);
      return (
        relativeError(denoise(scheduler, original, beginIndex(scheduler, strength), seed), original) < 1e-4
      );
    });
    t.notThrows(() => fc.assert(law, {numRuns: 50}));
  });
}

for (const name of schedulerNames) {
  test(`${name} steps of a batch are the steps of its samples, and leave their inputs alone`, t => {
    const noise = [randn(1), randn(2)] as const;
    const batch = Float32Array.from([...noise[0], ...noise[1]]);
    const copy = batch.slice();
    const both = prepared(name, 5);
    const single = prepared(name, 5);
    const next = both.step(batch, 0, batch, () => batch);
    t.deepEqual(batch, copy);
    t.deepEqual(
      next.subarray(0, size),
      single.step(noise[0], 0, noise[0], () => noise[0]),
    );
  });

  test(`${name} keeps no hold of its caller's buffers`, t => {
    const run = (buffer: (values: Float32Array) => Float32Array) => {
      const scheduler = prepared(name, 4);
      return [0, 1, 2].map(i => scheduler.step(buffer(randn(i)), i, buffer(randn(i)), () => randn(5)));
    };
    const reused = new Float32Array(size);
    const reuse = (values: Float32Array) => {
      reused.set(values);
      return reused;
    };
    t.deepEqual(
      run(reuse),
      run(values => values),
    );
  });

  test(`${name} forgets the run before at setTimesteps`, t => {
    const scheduler = prepared(name, 4);
    const run = () => [0, 1, 2].map(i => scheduler.step(randn(i), i, randn(i + 9), () => randn(5)));
    const first = run();
    scheduler.setTimesteps(4);
    t.deepEqual(run(), first);
  });

  test(`${name} refuses step counts that are no count`, t => {
    const scheduler = createScheduler(name, config);
    for (const steps of [0, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, 1001]) {
      const message = /^numInferenceSteps: expected an integer from 1 to 1000 but received/;
      t.throws(() => scheduler.setTimesteps(steps), {instanceOf: ArgumentError, message});
    }
  });
}

for (const name of ['ddim', 'ddpm', 'pndm', 'dpmpp-2m', 'dpmpp-2m-sde', 'unipc', 'lcm']) {
  test(`${name} does not scale the model input`, t => {
    const scheduler = prepared(name, 5);
    t.is(scheduler.initNoiseSigma, 1);
    t.deepEqual(scheduler.scaleModelInput(randn(0), 3), randn(0));
  });
}

for (const name of ['euler', 'euler-ancestral', 'heun', 'lms']) {
  test(`${name} scales the model input to the variance that the model knows`, t => {
    const scheduler = prepared(name, 5);
    const sigma = scheduler.addNoise(Float32Array.of(0), Float32Array.of(1), 1)[0]!;
    const expected = randn(0).map(x => x / Math.hypot(sigma, 1));
    t.true(relativeError(scheduler.scaleModelInput(randn(0), 1), expected) <= 1e-7);
  });
}

test('of a perfect prediction the original sample is the original, at each step of each scheduler', t => {
  const [original, noise] = [randn(1), randn(2)];
  for (const name of schedulerNames) {
    const scheduler = prepared(name, 4);
    for (const stepIndex of scheduler.timesteps.keys()) {
      const sample = scheduler.addNoise(original, noise, stepIndex);
      const found = scheduler.predOriginalSample(noise, stepIndex, sample);
      t.true(relativeError(found, original) < 1e-4, `${name}, step ${stepIndex}`);
    }
  }
});

test('beginIndex counts inference steps, of which Heun has two entries each', t => {
  t.is(beginIndex(prepared('ddim', 10), 0.65), 4);
  t.is(beginIndex(prepared('heun', 10), 0.65), 8);
  t.is(beginIndex(prepared('ddim', 10), 1), 0);
});

test('a strength that leaves no step is refused', t => {
  const scheduler = prepared('ddim', 10);
  for (const strength of [0, -0.1, 1.1, Number.NaN]) {
    t.throws(() => beginIndex(scheduler, strength), {
      instanceOf: ArgumentError,
      message: /^strength: expected a number/,
    });
  }
  const message =
    /^strength: expected numInferenceSteps \* strength to be at least 1; got 10 \* 0.05\. Raise/;
  t.throws(() => beginIndex(scheduler, 0.05), {instanceOf: ArgumentError, message});
});

test('a step before setTimesteps is refused', t => {
  const scheduler = createScheduler('ddim', config);
  const expected = {instanceOf: ArgumentError, message: /Call setTimesteps first/};
  t.throws(() => scheduler.step(randn(0), 0, randn(1)), expected);
  t.throws(() => scheduler.scaleModelInput(randn(0), 0), expected);
  t.throws(() => scheduler.addNoise(randn(0), randn(1), 0), expected);
});

test('a timestep in the place of a step index is refused', t => {
  const message = /stepIndex to be an integer from 0 to 4; got 801 \(number\)/;
  t.throws(() => prepared('ddim', 5).step(randn(0), 801, randn(1)), {instanceOf: ArgumentError, message});
});

test('steps out of order are refused', t => {
  const scheduler = prepared('dpmpp-2m', 5);
  scheduler.step(randn(0), 2, randn(1));
  const message = /expected stepIndex 3.*got 1.*Call setTimesteps before a new run/;
  t.throws(() => scheduler.step(randn(0), 1, randn(1)), {instanceOf: ArgumentError, message});
});

test('arrays of other lengths are refused', t => {
  const scheduler = prepared('euler-ancestral', 5);
  const short = new Float32Array(size - 1);
  const message = /as many elements as the sample has \(12\); got 11/;
  t.throws(() => scheduler.step(short, 0, randn(1), () => randn(2)), {instanceOf: ArgumentError, message});
  t.throws(() => scheduler.step(randn(0), 0, randn(1), () => short), {instanceOf: ArgumentError, message});
  t.throws(() => scheduler.addNoise(randn(0), short, 0), {instanceOf: ArgumentError, message});
});

test('a stochastic step without a noise source is refused', t => {
  const message = /^step: expected a noise source/;
  for (const name of ['ddpm', 'euler-ancestral', 'dpmpp-2m-sde', 'lcm']) {
    t.throws(() => prepared(name, 5).step(randn(0), 0, randn(1)), {instanceOf: ArgumentError, message});
  }
});

test('more steps than the spacing can place are refused', t => {
  const message = /^setTimesteps: expected few enough steps/;
  t.throws(() => prepared('ddim', 1000, {steps_offset: 1}), {instanceOf: ArgumentError, message});
  t.throws(() => prepared('unipc', 1000), {instanceOf: ArgumentError, message});
  t.throws(() => prepared('lcm', 51), {
    instanceOf: ArgumentError,
    message: /at most originalInferenceSteps \(50\)/,
  });
});

test('epsilon cannot be told from pure noise', t => {
  const settings = {rescale_betas_zero_snr: true, timestep_spacing: 'trailing'};
  const message = /^setTimesteps: expected predictionType 'v_prediction' or 'sample'.*got 'epsilon'/;
  t.throws(() => prepared('ddim', 5, settings), {instanceOf: ArgumentError, message});
  t.notThrows(() => prepared('ddim', 5, {...settings, prediction_type: 'v_prediction'}));
});
