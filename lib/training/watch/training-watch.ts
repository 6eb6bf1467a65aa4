/**
 * Looks at the weights while they are trained, each kind of look at its own interval. What goes wrong with one is told,
 * and training goes on.
 */
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import type {WatchEvent} from '../trainer-options.ts';
import type {SummaryValue} from './tensorboard-event.ts';
import type {TrainingLog} from './training-log.ts';

export interface Look {
  readonly name: 'validation' | 'samples';
  /** Steps between two; 0 for never. */
  readonly every: number;
  take(request: LookRequest): Promise<Seen>;
}

export interface LookRequest {
  readonly step: number;
  /** The adapter's, by its names. */
  readonly weights: ReadonlyMap<string, HostTensor>;
  readonly signal: AbortSignal | undefined;
}

export interface Seen {
  readonly event: WatchEvent;
  /** For TensorBoard. */
  readonly pictures?: readonly SummaryValue[];
}

export interface WatchRequest {
  /** Steps taken. */
  readonly step: number;
  readonly isLast: boolean;
  readonly weights: () => Promise<ReadonlyMap<string, HostTensor>>;
  /** Ends the look that it is at, of which nothing is told. */
  readonly signal?: AbortSignal | undefined;
  readonly onWatch?: ((event: WatchEvent) => void) | undefined;
}

export class TrainingWatch {
  readonly #looks: readonly Look[];
  readonly #log: TrainingLog;

  constructor(looks: readonly Look[], log: TrainingLog) {
    this.#looks = looks;
    this.#log = log;
  }

  /**
   * Takes the looks that are due after a step; after the last step, all.
   *
   * @throws FileError where the log cannot be written to
   */
  async afterStep({step, isLast, weights, signal, onWatch}: WatchRequest): Promise<void> {
    const due = this.#looks.filter(({every}) => every > 0 && (isLast || step % every === 0));
    if (due.length === 0) return;
    const now = await weights();
    for (const look of due) {
      const {event, pictures} = await attempt(look, {step, weights: now, signal});
      if (signal?.aborted) return;
      await this.#log.record(event, pictures);
      onWatch?.(event);
    }
  }
}

async function attempt(look: Look, request: LookRequest): Promise<Seen> {
  try {
    return await look.take(request);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {event: {kind: 'failure', step: request.step, during: look.name, message}};
  }
}
