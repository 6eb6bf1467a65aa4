import {readFile} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {z} from 'zod';
import {ArgumentError, FileError} from '../../errors.ts';
import {imageCombinations} from '../../pipelines/combine-images.ts';
import type {Condition} from '../../pipelines/generate-options.ts';

const blocks = z.record(z.string(), z.union([z.number(), z.array(z.number())]));

const conditionsFile = z
  .array(
    z.strictObject({
      image: z.union([z.string(), z.array(z.string()).min(1)]),
      combine: z.enum(imageCombinations).optional(),
      imageWeights: z.array(z.number()).optional(),
      adapter: z.string().optional(),
      instruction: z.string().optional(),
      negContentPrompt: z.string().optional(),
      scale: z
        .union([
          z.number(),
          z.strictObject({down: blocks.optional(), mid: z.number().optional(), up: blocks.optional()}),
        ])
        .optional(),
      start: z.number().optional(),
      end: z.number().optional(),
      mask: z.string().optional(),
    }),
  )
  .min(1);

/**
 * Conditions from a JSON file, whose paths are relative to it.
 *
 * @throws FileError where it cannot be read; ArgumentError where it has something else
 */
export async function readConditions(path: string): Promise<Condition[]> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new FileError(
      `${path}: expected a JSON file with conditions, but ${cause.message}. Check the path.`,
      {cause},
    );
  });
  const parsed = conditionsFile.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new ArgumentError(
      `${path}: expected a JSON list of conditions: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}. ` +
        'Each has an image, and what `generate` takes of a condition.',
    );
  }
  const place = (name: string) => resolve(dirname(path), name);
  return parsed.data.map(
    ({image, mask, ...condition}) =>
      ({
        ...condition,
        image: typeof image === 'string' ? place(image) : image.map(place),
        ...(mask !== undefined && {mask: place(mask)}),
      }) as Condition,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
