import test, {type ExecutionContext} from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import type {Drawn} from '../../../lib/datasets/mixture-sampler.ts';
import type {HostTensor} from '../../../lib/pipelines/host-tensor.ts';
import {SampleStream, type StreamState} from '../../../lib/training/batches/sample-stream.ts';
import {encodedBatches} from '../../../lib/training/objectives/encoded-batches.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

type Numbers = {readonly numbers: HostTensor};

/** Batches of two random numbers, and how many were encoded. */
async function batchesOf(t: ExecutionContext, numWorkers: number, state?: StreamState, fail = false) {
  const dataset = await openDataset(await writeTrainingSet(t, {sizes: [[8, 8]]}));
  const prepare = async ({generator}: Drawn) => ({number: generator.rand([1])[0]!});
  const form = {prepare, sizeOf: () => ''};
  const stream = new SampleStream(dataset, form, {seed: 3, batchSize: 2, numWorkers}, state);
  let encoded = 0;
  const batches = encodedBatches<never, {number: number}>(stream, undefined, async samples => {
    encoded++;
    if (fail && encoded === 2) throw new Error('the second');
    return {numbers: {shape: [2], data: Float32Array.from(samples, ({number}) => number)}} as never;
  });
  const next = async () => [...((await batches.next()) as Numbers).numbers.data];
  return {batches, next, encoded: () => encoded};
}

test('the next batch is encoded meanwhile, but not without threads, nor after the last', async t => {
  for (const [numWorkers, ahead] of [
    [0, 0],
    [1, 1],
  ] as const) {
    const {batches, next, encoded} = await batchesOf(t, numWorkers);
    await next();
    await new Promise(resolve => setTimeout(resolve, 50));
    t.is(encoded(), 1 + ahead);
    await batches.next(true);
    await new Promise(resolve => setTimeout(resolve, 50));
    t.is(encoded(), 2);
    await batches.stop();
  }
});

test('a state and a stop are of what was given, not of what is under way', async t => {
  const plain = await batchesOf(t, 0);
  const expected = [await plain.next(), await plain.next(), await plain.next(), await plain.next()];
  const {batches, next} = await batchesOf(t, 1);
  t.deepEqual([await next(), await next()], expected.slice(0, 2));
  const {state} = batches;
  await batches.stop();
  t.deepEqual(batches.state, state);
  t.deepEqual([await next(), await next()], expected.slice(2));
  await batches.stop();
  const other = await batchesOf(t, 1, structuredClone(state));
  t.deepEqual([await other.next(), await other.next()], expected.slice(2));
  await other.batches.stop();
});

test('a failure meanwhile is told to who asks for that batch, and to nobody after a stop', async t => {
  const {batches, next} = await batchesOf(t, 1, undefined, true);
  await next();
  await t.throwsAsync(next(), {message: 'the second'});
  const stopped = await batchesOf(t, 1, undefined, true);
  await stopped.next();
  await t.notThrowsAsync(stopped.batches.stop());
  await batches.stop();
});
