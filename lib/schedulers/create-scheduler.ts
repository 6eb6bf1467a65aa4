import {ArgumentError, describeValue} from '../errors.ts';
import {DDIMScheduler} from './ddim-scheduler.ts';
import {DDPMScheduler} from './ddpm-scheduler.ts';
import {DPMSolverMultistepScheduler} from './dpm-solver-multistep-scheduler.ts';
import {EulerAncestralDiscreteScheduler} from './euler-ancestral-discrete-scheduler.ts';
import {EulerDiscreteScheduler} from './euler-discrete-scheduler.ts';
import {HeunDiscreteScheduler} from './heun-discrete-scheduler.ts';
import {LCMScheduler} from './lcm-scheduler.ts';
import {LMSDiscreteScheduler} from './lms-discrete-scheduler.ts';
import {PNDMScheduler} from './pndm-scheduler.ts';
import type {Scheduler} from './scheduler.ts';
import type {SchedulerConfig} from './scheduler-config.ts';
import {UniPCMultistepScheduler} from './unipc-multistep-scheduler.ts';

/** By diffusers' class names, as in `_class_name` of a `scheduler_config.json`. */
const schedulerClasses = {
  DDIMScheduler,
  DDPMScheduler,
  DPMSolverMultistepScheduler,
  EulerAncestralDiscreteScheduler,
  EulerDiscreteScheduler,
  HeunDiscreteScheduler,
  LCMScheduler,
  LMSDiscreteScheduler,
  PNDMScheduler,
  UniPCMultistepScheduler,
} as const;
type SchedulerClassName = keyof typeof schedulerClasses;

/** The names for users: a class, and the settings that the name stands for whatever the config says. */
const shortNames = new Map<string, readonly [SchedulerClassName, SchedulerConfig?]>(
  Object.entries({
    ddim: ['DDIMScheduler'],
    ddpm: ['DDPMScheduler'],
    pndm: ['PNDMScheduler', {skipPrkSteps: true}],
    euler: ['EulerDiscreteScheduler'],
    'euler-ancestral': ['EulerAncestralDiscreteScheduler'],
    heun: ['HeunDiscreteScheduler'],
    lms: ['LMSDiscreteScheduler'],
    'dpmpp-2m': ['DPMSolverMultistepScheduler', {algorithmType: 'dpmsolver++', useKarrasSigmas: false}],
    'dpmpp-2m-karras': ['DPMSolverMultistepScheduler', {algorithmType: 'dpmsolver++', useKarrasSigmas: true}],
    'dpmpp-2m-sde': [
      'DPMSolverMultistepScheduler',
      {algorithmType: 'sde-dpmsolver++', useKarrasSigmas: false},
    ],
    unipc: ['UniPCMultistepScheduler'],
    lcm: ['LCMScheduler'],
  }),
);

/** What `createScheduler` accepts as a name, besides diffusers' class names. */
export const schedulerNames: readonly string[] = [...shortNames.keys()];

/**
 * The public Stable Diffusion 1 scheduler settings, for checkpoints that come without a
 * `scheduler_config.json`.
 */
export const stableDiffusion1SchedulerConfig: SchedulerConfig = {
  _class_name: 'PNDMScheduler',
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  num_train_timesteps: 1000,
  clip_sample: false,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
};

/**
 * Classes whose `timestep_spacing` is `leading` where the config has none; that of the others is `linspace`.
 */
const leadingClasses: readonly string[] = ['DDIMScheduler', 'DDPMScheduler', 'LCMScheduler', 'PNDMScheduler'];

/**
 * Makes the scheduler that a `scheduler_config.json` describes, with diffusers' defaults for what it leaves
 * out.
 *
 * @throws ArgumentError on an unknown class, which lists those there are, and on settings that would change
 *   results and are not supported.
 */
export function createScheduler(config: SchedulerConfig): Scheduler;
/**
 * Makes a scheduler by name, for a model whose config may be that of any other scheduler: the settings that both know are
 * taken, the others ignored, like diffusers' `from_config`. By diffusers' class name that is all. A short name
 * (`schedulerNames`; underscores do for hyphens) also has its own spacing of timesteps, unless the config's was chosen:
 * one that is only the default of the class that wrote it gives way.
 *
 * @param config Stable Diffusion 1's if left out.
 * @throws ArgumentError as above.
 */
export function createScheduler(name: string, config?: SchedulerConfig): Scheduler;
export function createScheduler(
  nameOrConfig: string | SchedulerConfig,
  modelConfig?: SchedulerConfig,
): Scheduler {
  if (typeof nameOrConfig !== 'string') {
    const className = resolveClass(nameOrConfig['_class_name']);
    return new schedulerClasses[className](nameOrConfig);
  }
  const config = modelConfig ?? stableDiffusion1SchedulerConfig;
  const [className, fixed] = shortNames.get(nameOrConfig.replaceAll('_', '-')) ?? [];
  if (className === undefined) return new schedulerClasses[resolveClass(nameOrConfig)](config);
  return new schedulerClasses[className]({...dropDefaultSpacing(config, className), ...fixed});
}

function dropDefaultSpacing(config: SchedulerConfig, className: SchedulerClassName): SchedulerConfig {
  const {_class_name: writer, timestep_spacing: spacing, ...others} = config;
  if (typeof writer !== 'string' || writer === className) return config;
  const writersDefault = leadingClasses.includes(writer) ? 'leading' : 'linspace';
  return spacing === writersDefault ? others : config;
}

function resolveClass(name: unknown): SchedulerClassName {
  if (typeof name === 'string' && Object.hasOwn(schedulerClasses, name)) return name as SchedulerClassName;
  throw new ArgumentError(
    `scheduler: expected one of ${schedulerNames.join(', ')} or a class, one of ` +
      `${Object.keys(schedulerClasses).join(', ')}; got ${describeValue(name)}. Choose one of these.`,
  );
}
