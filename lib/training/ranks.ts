/**
 * What must hold for ranks that train together.
 */
import {ArgumentError, FileError} from '../errors.ts';
import type {Communicator, RankPlace} from '../runtime/communicator.ts';

/** @throws ArgumentError where a batch cannot be shared out among the ranks */
export function checkShares(
  {label, couplesSamples = false}: {readonly label: string; readonly couplesSamples?: boolean | undefined},
  batchSize: number,
  {size}: RankPlace,
): void {
  if (size === 1) return;
  if (couplesSamples) {
    throw new ArgumentError(
      `${label}: its loss compares all samples of a batch, which ${size} ranks cannot share out. Train it in one process.`,
    );
  }
  if (batchSize % size !== 0) {
    throw new ArgumentError(
      `batchSize: expected a multiple of ${size}, for each of the ${size} ranks to take as many of a batch's samples, got ` +
        `${batchSize}. Change it, or the number of ranks; samples of a step are batchSize times accumulate.`,
    );
  }
}

/**
 * Waits until all ranks have read the checkpoint that they go on from: rank 0 may remove it soon after.
 *
 * @param step of that checkpoint; 0 where there is none
 * @throws FileError where they have read different ones
 */
export async function checkEqualStart(
  step: number,
  folder: string,
  communicator: Communicator,
): Promise<void> {
  const {rank} = communicator;
  const [first] = await communicator.sum([rank === 0 ? step : 0]);
  const [others] = await communicator.sum([step === first ? 0 : 1]);
  if (others === 0) return;
  throw new FileError(
    `${folder}: rank 0 goes on from step ${first}, and ${others} others from another: rank ${rank} from step ${step}. ` +
      'Put the output folder where all ranks see the same files.',
  );
}
