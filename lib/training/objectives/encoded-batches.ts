import type {RankPlace} from '../../runtime/communicator.ts';
import {rowsOfRank} from '../batches/rows-of-rank.ts';
import type {SampleStream} from '../batches/sample-stream.ts';
import type {HostBatch} from '../device-batch.ts';
import type {Batches} from '../objective.ts';

/**
 * A stream's batches, brought to what the loss reads. Each rank goes through all samples, as the sizes of their pictures
 * decide which batch they are in, and encodes its own.
 */
export function encodedBatches<Batch, Sample extends object>(
  stream: SampleStream<Sample>,
  place: RankPlace | undefined,
  encode: (samples: readonly Sample[]) => HostBatch<Batch> | Promise<HostBatch<Batch>>,
): Batches<Batch> {
  return {
    get state() {
      return stream.state;
    },
    get problems() {
      return stream.problems;
    },
    next: async () => encode(rowsOfRank(await stream.nextBatch(), place)),
    stop: () => stream.stop(),
  };
}
