import {readFileSync} from 'node:fs';
import test from 'ava';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {
  createScheduler,
  schedulerNames,
  stableDiffusion1SchedulerConfig,
} from '../../lib/schedulers/create-scheduler.ts';
import {DDIMScheduler} from '../../lib/schedulers/ddim-scheduler.ts';
import {DPMSolverMultistepScheduler} from '../../lib/schedulers/dpm-solver-multistep-scheduler.ts';
import {PNDMScheduler} from '../../lib/schedulers/pndm-scheduler.ts';
import {parseSchedulerConfig, type SchedulerConfig} from '../../lib/schedulers/scheduler-config.ts';

const path = new URL('../fixtures/reference/model/scheduler/scheduler_config.json', import.meta.url);
const ddimConfig = parseSchedulerConfig(readFileSync(path, 'utf8'), 'scheduler_config.json');

/** The timesteps of three steps: they tell spacings apart. */
function threeTimesteps(...args: [string, SchedulerConfig?]): readonly number[] {
  const scheduler = createScheduler(...args);
  scheduler.setTimesteps(3);
  return scheduler.timesteps;
}

for (const name of schedulerNames) {
  test(`${name} is made from the config of another scheduler, and without one`, t => {
    for (const scheduler of [createScheduler(name, ddimConfig), createScheduler(name)]) {
      scheduler.setTimesteps(10);
      t.true(scheduler.timesteps.length >= 10);
      t.is(scheduler.numTrainTimesteps, 1000);
      t.is(scheduler.predictionType, 'epsilon');
      // Stable Diffusion's scaled_linear betas: the class defaults end at 0.00004 instead.
      t.is(scheduler.alphasCumprod[999]!.toFixed(5), '0.00466');
    }
  });
}

test('a config makes the class that it names', t => {
  t.true(createScheduler(ddimConfig) instanceof DDIMScheduler);
  t.true(createScheduler(stableDiffusion1SchedulerConfig) instanceof PNDMScheduler);
});

test('class names and underscores are names too', t => {
  t.true(createScheduler('DDIMScheduler') instanceof DDIMScheduler);
  t.true(createScheduler('dpmpp_2m_karras', ddimConfig) instanceof DPMSolverMultistepScheduler);
});

test('a spacing that is the writing class default gives way, a chosen one is taken', t => {
  t.deepEqual(threeTimesteps('euler', ddimConfig), [999, 499.5, 0]);
  t.deepEqual(threeTimesteps('euler', {...ddimConfig, timestep_spacing: 'trailing'}), [999, 666, 332]);
  t.deepEqual(threeTimesteps('ddim', ddimConfig), [667, 334, 1]);
  t.deepEqual(
    threeTimesteps('EulerDiscreteScheduler', {...ddimConfig, _class_name: 'EulerDiscreteScheduler'}),
    [667, 334, 1],
  );
});

test('a short name means what it says, whatever the config holds', t => {
  const karras = {...ddimConfig, _class_name: 'DPMSolverMultistepScheduler', use_karras_sigmas: true};
  t.deepEqual(threeTimesteps('dpmpp-2m-karras', ddimConfig), threeTimesteps('dpmpp-2m-karras', karras));
  t.notDeepEqual(threeTimesteps('dpmpp-2m', karras), threeTimesteps('dpmpp-2m-karras', karras));
});

test('camelCase settings come after those of a file', t => {
  t.deepEqual(threeTimesteps('ddim', {...ddimConfig, timestepSpacing: 'trailing'}), [999, 666, 332]);
});

test('an unknown scheduler is an error that lists what there is', t => {
  const expected = {
    instanceOf: ArgumentError,
    message: /expected one of ddim, ddpm, .*UniPCMultistepScheduler; got/,
  };
  t.throws(() => createScheduler('k-lms-turbo'), expected);
  t.throws(() => createScheduler('toString'), expected);
  t.throws(() => createScheduler({_class_name: 'FlowMatchEulerDiscreteScheduler'}), expected);
  t.throws(() => createScheduler({}), expected);
});

const unsupported: readonly [className: string, settings: SchedulerConfig, message: RegExp][] = [
  ['DDIMScheduler', {thresholding: true}, /thresholding: .*expected false, got true/],
  ['DDIMScheduler', {prediction_type: 'flow_prediction'}, /predictionType: .*got 'flow_prediction'/],
  ['DDIMScheduler', {beta_schedule: 'sigmoid'}, /betaSchedule: .*got 'sigmoid'/],
  ['DDIMScheduler', {beta_start: Number.NaN}, /betaStart: .*got NaN/],
  ['DDIMScheduler', {num_train_timesteps: 0}, /numTrainTimesteps: .*got 0/],
  ['DDIMScheduler', {trained_betas: [0.1, 0.2]}, /as many trainedBetas as numTrainTimesteps \(1000\); got 2/],
  ['DDIMScheduler', {eta: 2}, /eta: .*got 2/],
  ['DDPMScheduler', {variance_type: 'learned_range'}, /varianceType: .*got 'learned_range'/],
  ['PNDMScheduler', {}, /skipPrkSteps: .*expected true/],
  ['PNDMScheduler', {skip_prk_steps: true, prediction_type: 'sample'}, /predictionType: .*got 'sample'/],
  ['EulerDiscreteScheduler', {use_beta_sigmas: true}, /useBetaSigmas: .*got true/],
  ['EulerDiscreteScheduler', {interpolation_type: 'log_linear'}, /interpolationType: .*got 'log_linear'/],
  ['EulerDiscreteScheduler', {sigma_max: 80}, /sigmaMax: .*got 80/],
  ['EulerAncestralDiscreteScheduler', {prediction_type: 'sample'}, /predictionType: .*got 'sample'/],
  ['HeunDiscreteScheduler', {use_exponential_sigmas: true}, /useExponentialSigmas: .*got true/],
  ['LMSDiscreteScheduler', {timestep_spacing: 'even'}, /timestepSpacing: .*got 'even'/],
  ['DPMSolverMultistepScheduler', {algorithm_type: 'dpmsolver'}, /algorithmType: .*got 'dpmsolver'/],
  ['DPMSolverMultistepScheduler', {solver_type: 'heun'}, /solverType: .*got 'heun'/],
  ['DPMSolverMultistepScheduler', {solver_order: 3}, /solverOrder: .*got 3/],
  ['DPMSolverMultistepScheduler', {lambda_min_clipped: -5.1}, /lambdaMinClipped: .*got -5.1/],
  ['DPMSolverMultistepScheduler', {use_lu_lambdas: true}, /useLuLambdas: .*got true/],
  ['UniPCMultistepScheduler', {solver_type: 'bh1'}, /solverType: .*got 'bh1'/],
  ['UniPCMultistepScheduler', {disable_corrector: [0]}, /disableCorrector: .*got an array of length 1/],
  ['UniPCMultistepScheduler', {predict_x0: false}, /predictX0: .*got false/],
  [
    'LCMScheduler',
    {original_inference_steps: 2000},
    /originalInferenceSteps: expected at most .*1000.*received 2000/,
  ],
];
for (const [className, settings, message] of unsupported) {
  test(`${className} refuses ${JSON.stringify(settings)}`, t => {
    t.throws(() => createScheduler({_class_name: className, ...settings}), {
      instanceOf: ArgumentError,
      message,
    });
  });
}

test('settings of other schedulers, private keys and nulls are ignored', t => {
  const config = {...ddimConfig, thresholding: true, _diffusers_version: '0.6.0', trained_betas: null};
  t.notThrows(() => createScheduler('euler', config));
});

test('a config file with the bare word -Infinity is read', t => {
  const text = '{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity}';
  t.true(createScheduler(parseSchedulerConfig(text, 'config.json')) instanceof DPMSolverMultistepScheduler);
});

for (const text of ['{', '[]', 'null', '3']) {
  test(`a config file of ${text} is refused`, t => {
    t.throws(() => parseSchedulerConfig(text, 'a.json'), {
      instanceOf: FileError,
      message: /^a\.json: expected/,
    });
  });
}
