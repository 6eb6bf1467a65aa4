/**
 * Checks the `config.json` that lies next to a model's weights.
 */
import {z} from 'zod';
import {ArgumentError, describeValue} from '../errors.ts';

/** A setting that changes the model and has one value only here; absent means that value. */
export function only<Value extends boolean | string | number>(value: Value) {
  return z.literal(value).default(value as z.core.util.NoUndefined<Value>);
}

/**
 * Reads the settings that `schema` names (camelCase) from a config with snake_case keys. `null` counts as absent;
 * keys that the schema does not name do not change what the model computes and are ignored.
 *
 * @param model stands for the config in messages, e.g. `AutoencoderKL`
 * @throws ArgumentError that lists every setting that is wrong or not supported, with its value
 */
export function parseModelConfig<Schema extends z.ZodType>(
  model: string,
  schema: Schema,
  json: unknown,
): z.output<Schema> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ArgumentError(
      `${model} config: expected a JSON object; got ${describeValue(json)}. Give the parsed config.json.`,
    );
  }
  const settings = camelCaseKeys(json);
  const result = schema.safeParse(settings);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({path, message}) => {
    const value = path.reduce<unknown>(
      (parent, key) => (parent as Record<PropertyKey, unknown>)[key],
      settings,
    );
    return `${snakeCase(path.join('.'))}: ${message}, got ${describeValue(value)}`;
  });
  throw new ArgumentError(
    `${model} config: expected settings that are supported; ${problems.join('; ')}. ` +
      'Check that the config.json belongs to this model.',
  );
}

function camelCaseKeys(json: object): Record<string, unknown> {
  const entries = Object.entries(json).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [camelCase(key), value]));
}

function camelCase(key: string): string {
  return key.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}
