import type {HostTensor} from './host-tensor.ts';

export const imageCombinations = ['concat', 'add', 'subtract', 'average', 'norm-average'] as const;

/**
 * How several images of a condition are read as one. `concat`: the tokens that the adapter makes of each stand in a row, as
 * in diffusers. The others are made of the image encoder's features before the adapter reads them, as in ComfyUI's
 * IPAdapter nodes: their sum, the first less the mean of the rest, their mean, and the mean of what remains when each
 * feature is divided by its length over the images.
 */
export type ImageCombination = (typeof imageCombinations)[number];

/**
 * @param features of the images, [images, …]
 * @returns [1, …]
 */
export function combineImages(
  {shape, data}: HostTensor,
  combination: Exclude<ImageCombination, 'concat'>,
): HostTensor {
  const [count, ...rest] = shape as [number, ...number[]];
  const size = data.length / count;
  const combined = new Float32Array(size);
  const combine = combiners[combination];
  const values = new Float32Array(count);
  for (let i = 0; i < size; i++) {
    for (let image = 0; image < count; image++) values[image] = data[image * size + i]!;
    combined[i] = combine(values);
  }
  return {shape: [1, ...rest], data: combined};
}

/** Of one feature's values, one for each image. */
const combiners: Readonly<Record<Exclude<ImageCombination, 'concat'>, (values: Float32Array) => number>> = {
  add: sum,
  subtract: values => values[0]! - (values.length > 1 ? mean(values.subarray(1)) : 0),
  average: mean,
  'norm-average': values => {
    const length = Math.hypot(...values);
    return length === 0 ? 0 : mean(values) / length;
  },
};

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: Float32Array): number {
  return sum(values) / values.length;
}
