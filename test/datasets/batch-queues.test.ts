import {testProp} from '@fast-check/ava';
import fc from 'fast-check';
import {BatchQueues} from '../../lib/datasets/batch-queues.ts';

testProp(
  'each item is in one batch or waits, in the order of its bucket; the first full queue is the next batch',
  [fc.array(fc.nat(3), {minLength: 1, maxLength: 60}), fc.integer({min: 1, max: 5})],
  (t, buckets, batchSize) => {
    const queues = new BatchQueues<number>(batchSize);
    const batches: (readonly number[])[] = [];
    const bucketOf = (item: number) => buckets[item]!;
    for (const [item, bucket] of buckets.entries()) {
      const batch = queues.add(String(bucket), item);
      // A batch comes with the item that fills it.
      if (batch !== undefined) t.is(batch.at(-1), item);
      if (batch !== undefined) batches.push(batch);
      for (const other of new Set(buckets)) {
        t.true(queues.waiting.filter(waiting => bucketOf(waiting) === other).length < batchSize);
      }
    }
    for (const batch of batches) {
      t.is(batch.length, batchSize);
      t.is(new Set(batch.map(bucketOf)).size, 1);
    }
    const all = [...batches.flat(), ...queues.waiting];
    for (const bucket of new Set(buckets)) {
      t.deepEqual(
        all.filter(item => bucketOf(item) === bucket),
        [...buckets.keys()].filter(item => bucketOf(item) === bucket),
      );
    }
    t.deepEqual(
      queues.waiting,
      queues.waiting.toSorted((a, b) => a - b),
    );
  },
);

testProp(
  'queues that get again what waits go on as the ones before',
  [fc.array(fc.nat(3), {minLength: 1, maxLength: 40}), fc.array(fc.nat(3)), fc.integer({min: 1, max: 4})],
  (t, before, after, batchSize) => {
    const one = new BatchQueues<number>(batchSize);
    for (const [item, bucket] of before.entries()) one.add(String(bucket), item);
    const other = new BatchQueues<number>(batchSize);
    for (const item of one.waiting) t.is(other.add(String(before[item]), item), undefined);
    t.deepEqual(other.waiting, one.waiting);
    for (const [index, bucket] of after.entries()) {
      const item = before.length + index;
      t.deepEqual(other.add(String(bucket), item), one.add(String(bucket), item));
    }
  },
);
