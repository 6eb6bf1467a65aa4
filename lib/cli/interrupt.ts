import {constants} from 'node:os';

/** What ends long work. mpirun and scancel pass SIGUSR2 on to all processes; after the others mpirun soon kills them. */
const signals = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;

/** Why long work was aborted: the user, or the system, asked the process to end. */
export class Interrupted extends Error {
  /** As shells give it for a process that a signal has ended. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super('Interrupted.');
    this.name = 'Interrupted';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/**
 * Runs long work with a signal that Ctrl-C aborts. A second Ctrl-C ends the process at once, as it does wherever
 * nobody listens.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => controller.abort(new Interrupted(signal));
  for (const signal of signals) process.once(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
