import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {type Bucket, nearestBucket} from '../../lib/datasets/buckets.ts';

const buckets: readonly Bucket[] = [
  [512, 512],
  [640, 384],
  [384, 640],
  [256, 256],
];

test('pictures take the bucket of the nearest aspect ratio, of equal ones the first', t => {
  const nearest = (width: number, height: number) => nearestBucket(buckets, {width, height}).join('x');
  t.is(nearest(100, 100), '512x512');
  t.is(nearest(30, 20), '640x384');
  t.is(nearest(20, 30), '384x640');
  t.is(nearest(65_535, 1), '640x384');
  // Between 1 and 5/3 the geometric mean parts them.
  t.is(nearest(129, 100), '512x512');
  t.is(nearest(1292, 1000), '640x384');
});

testProp(
  'a picture on its side takes the bucket on its side',
  [fc.integer({min: 1, max: 5000}), fc.integer({min: 1, max: 5000})],
  (t, width, height) => {
    const [a, b] = nearestBucket(buckets, {width, height});
    const [c, d] = nearestBucket(buckets, {width: height, height: width});
    t.deepEqual([a, b], [d, c]);
  },
);
