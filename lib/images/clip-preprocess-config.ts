import {z} from 'zod';
import {ArgumentError} from '../errors.ts';
import {type ClipPreprocessConfig, clipDefaults} from './clip-preprocess.ts';
import type {ResampleFilter} from './pil-resize.ts';

const side = z.int().positive();
const square = z
  .strictObject({height: side, width: side})
  .refine(({height, width}) => height === width, 'height and width must be equal');
const perChannel = z.tuple([z.number(), z.number(), z.number()]).readonly();

/** Pillow's numbers for the filters that are implemented. */
const filters: ReadonlyMap<number, ResampleFilter> = new Map([
  [1, 'lanczos'],
  [3, 'bicubic'],
]);

const schema = z.looseObject({
  do_resize: z.literal(true, 'only true is supported: encoders take pictures of one size').default(true),
  size: z.union([side, z.strictObject({shortest_edge: side}), square]).default(clipDefaults.size),
  resample: z
    .int()
    .refine(code => filters.has(code), 'only 1 (lanczos) and 3 (bicubic) are supported')
    .default(3),
  do_center_crop: z.boolean().default(true),
  crop_size: z.union([side, square]).default(clipDefaults.cropSize),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().default(clipDefaults.rescaleFactor),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default(clipDefaults.mean),
  image_std: perChannel
    .refine(std => std.every(value => value > 0), 'must be over 0')
    .default(clipDefaults.std),
});

/**
 * Reads the content of a `preprocessor_config.json` as transformers' `CLIPImageProcessor` does; keys that are missing
 * have CLIP's values. A `size` of `{height, width}` means `fit: 'stretch'`, any other `fit: 'crop'`.
 *
 * @param config the parsed JSON
 * @param name what error messages call it: its path
 * @throws ArgumentError naming each value that is wrong or not supported
 */
export function parseClipPreprocessConfig(
  config: unknown,
  name = 'preprocessor_config.json',
): ClipPreprocessConfig {
  const parsed = schema.safeParse(config);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      issue => `${issue.path.join('.') || 'the whole'}: ${issue.message}`,
    );
    throw new ArgumentError(
      `${name}: expected the settings of a CLIP image processor, but ${problems.join('; ')}. ` +
        'Correct the file, or use the one that belongs to the image encoder.',
    );
  }
  const values = parsed.data;
  return {
    ...geometry(values, name),
    filter: filters.get(values.resample)!,
    rescaleFactor: values.do_rescale ? values.rescale_factor : 1,
    mean: values.do_normalize ? values.image_mean : [0, 0, 0],
    std: values.do_normalize ? values.image_std : [1, 1, 1],
  };
}

function geometry(
  values: z.infer<typeof schema>,
  name: string,
): Pick<ClipPreprocessConfig, 'size' | 'cropSize' | 'fit'> {
  const {size, crop_size: crop, do_center_crop: cropped} = values;
  const cropSize = typeof crop === 'number' ? crop : crop.height;
  if (typeof size === 'object' && 'height' in size) {
    if (cropped && cropSize !== size.height) {
      throw new ArgumentError(
        `${name}: expected crop_size to equal a size of height and width (${size.height}) but it is ${cropSize}. ` +
          'Set do_center_crop to false, or size to the shortest edge.',
      );
    }
    return {size: size.height, cropSize: size.height, fit: 'stretch'};
  }
  const shortestEdge = typeof size === 'number' ? size : size.shortest_edge;
  if (!cropped || cropSize > shortestEdge) {
    const found = cropped ? `crop_size is ${cropSize}` : 'do_center_crop is false';
    throw new ArgumentError(
      `${name}: expected a centre crop of at most the shortest edge (${shortestEdge}), but ${found}. ` +
        'Encoders take squares of one size; give size as {height, width} to stretch pictures instead.',
    );
  }
  return {size: shortestEdge, cropSize, fit: 'crop'};
}
