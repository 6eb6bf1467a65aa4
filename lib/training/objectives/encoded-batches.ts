import type {SampleStream} from '../batches/sample-stream.ts';
import type {HostBatch} from '../device-batch.ts';
import type {Batches} from '../objective.ts';

/** A stream's batches, brought to what the loss reads. */
export function encodedBatches<Batch, Sample extends object>(
  stream: SampleStream<Sample>,
  encode: (samples: readonly Sample[]) => HostBatch<Batch> | Promise<HostBatch<Batch>>,
): Batches<Batch> {
  return {
    get state() {
      return stream.state;
    },
    get problems() {
      return stream.problems;
    },
    next: async () => encode(await stream.nextBatch()),
    stop: () => stream.stop(),
  };
}
