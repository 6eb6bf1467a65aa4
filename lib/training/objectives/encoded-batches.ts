import type {RunOptions} from '../../engine/compiled-function.ts';
import type {RankPlace} from '../../runtime/communicator.ts';
import {rowsOfRank} from '../batches/rows-of-rank.ts';
import type {SampleStream, StreamState} from '../batches/sample-stream.ts';
import type {HostBatch} from '../device-batch.ts';
import type {Batches} from '../objective.ts';

interface Encoded<Batch> {
  readonly batch: HostBatch<Batch>;
  /** Of the stream, once the batch's samples had been taken. */
  readonly state: StreamState;
}

/**
 * A stream's batches, brought to what the loss reads: the next one while a step is taken on the one before, so that a device
 * does not wait for noise and texts. Each rank goes through all samples, as the sizes of their pictures decide which batch
 * they are in, and encodes its own.
 */
export function encodedBatches<Batch, Sample extends object>(
  stream: SampleStream<Sample>,
  place: RankPlace | undefined,
  encode: (samples: readonly Sample[], options: RunOptions) => HostBatch<Batch> | Promise<HostBatch<Batch>>,
): Batches<Batch> {
  let state = stream.state;
  let ahead: Promise<Encoded<Batch>> | undefined;
  let stopping = new AbortController();
  const take = async () => {
    const {signal} = stopping;
    const samples = await stream.nextBatch();
    const taken = stream.state;
    return {batch: await encode(rowsOfRank(samples, place), {signal}), state: taken};
  };
  return {
    get state() {
      return state;
    },
    get problems() {
      return stream.problems;
    },
    async next(isLast = false) {
      const encoded = await (ahead ?? take());
      state = encoded.state;
      ahead = stream.preparesAhead && !isLast ? take() : undefined;
      // Whoever asks for it is told; it may fail before that, and then the process would end.
      ahead?.catch(() => {});
      return encoded.batch;
    },
    async stop() {
      const dropped = ahead;
      ahead = undefined;
      stopping.abort();
      stopping = new AbortController();
      await stream.stop(state);
      await dropped?.catch(() => {});
    },
  };
}
