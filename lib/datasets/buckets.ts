/**
 * Sizes of training pictures, of which each picture takes the one that it loses least in.
 */

/** In pixels. */
export type Bucket = readonly [width: number, height: number];

/**
 * The bucket whose aspect ratio is nearest, as a factor; of equally near ones the first.
 *
 * @param buckets one at least
 */
export function nearestBucket(
  buckets: readonly Bucket[],
  {width, height}: {readonly width: number; readonly height: number},
): Bucket {
  const distance = (bucket: Bucket) => Math.abs(Math.log((bucket[0] * height) / (bucket[1] * width)));
  return buckets.reduce((nearest, bucket) => (distance(bucket) < distance(nearest) ? bucket : nearest));
}
