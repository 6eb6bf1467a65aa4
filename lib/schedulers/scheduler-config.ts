import {z} from 'zod';
import {ArgumentError, describeValue, FileError} from '../errors.ts';
import {betaSchedules} from './noise-schedule.ts';
import {predictionTypes} from './prediction.ts';
import {timestepSpacings} from './timestep-spacing.ts';

/** A `scheduler_config.json` as parsed, or the same settings with camelCase keys. */
export type SchedulerConfig = Readonly<Record<string, unknown>>;

/** The settings that every scheduler reads, with diffusers' defaults. */
export const commonFields = {
  numTrainTimesteps: z.int().min(2).default(1000),
  betaStart: z.number().positive().lt(1).default(0.0001),
  betaEnd: z.number().positive().lt(1).default(0.02),
  betaSchedule: z.enum(betaSchedules).default('linear'),
  trainedBetas: z.array(z.number().positive().lt(1)).optional(),
  predictionType: z.enum(predictionTypes).default('epsilon'),
  stepsOffset: z.int().nonnegative().default(0),
};

export const rescaleBetasZeroSnr = z.boolean().default(false);

export const leadingByDefault = z.enum(timestepSpacings).default('leading');
export const linspaceByDefault = z.enum(timestepSpacings).default('linspace');

/** A setting of diffusers that would change results and has one value only here. */
export function only<Value extends boolean | string | number>(value: Value) {
  return z.literal(value).default(value as z.core.util.NoUndefined<Value>);
}

/** A setting of diffusers that must be absent or null here. */
export const absent = z.undefined().optional();

/**
 * Checks a configuration against a scheduler's schema. As in diffusers' `from_config`, keys that the schema
 * does not name are ignored: they belong to other schedulers. A key that is `null` counts as absent.
 * @throws ArgumentError that lists every setting that is wrong or not supported.
 */
export function parseConfig<Schema extends z.ZodObject>(
  schedulerName: string,
  schema: Schema,
  config: SchedulerConfig,
): z.output<Schema> {
  const settings = camelCaseKeys(config);
  const result = schema.safeParse(settings);
  if (!result.success) {
    const problems = result.error.issues.map(({path, message}) => {
      const value = path.reduce<unknown>(
        (parent, key) => (parent as Record<PropertyKey, unknown>)[key],
        settings,
      );
      return `${path.join('.')}: ${message}, got ${describeValue(value)}`;
    });
    throw new ArgumentError(
      `${schedulerName} config: expected settings that are supported; ${problems.join('; ')}. ` +
        'Correct the scheduler config, or choose another scheduler.',
    );
  }
  return result.data;
}

function camelCaseKeys(config: SchedulerConfig): Record<string, unknown> {
  const entries = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [camelCase(key), value]));
}

function camelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Parses a `scheduler_config.json`. diffusers writes `lambda_min_clipped` as `-Infinity`, which Python reads
 * and JSON does not know; it becomes a string.
 * @throws FileError if the text is no JSON object.
 */
export function parseSchedulerConfig(text: string, path: string): SchedulerConfig {
  let config: unknown;
  try {
    config = JSON.parse(text.replace(/:\s*-Infinity\b/g, ': "-Infinity"'));
  } catch (cause) {
    throw new FileError(`${path}: expected JSON; got text that does not parse. Fetch the file anew.`, {
      cause,
    });
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new FileError(
      `${path}: expected a JSON object; got ${describeValue(config)}. Fetch the file anew.`,
    );
  }
  return config as SchedulerConfig;
}
