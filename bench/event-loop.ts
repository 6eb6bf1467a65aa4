import {existsSync, readFileSync} from 'node:fs';

/** The worst of a while, in milliseconds. */
export interface Lateness {
  /** How late the timer fired. */
  readonly latenessMs: number;
  /** The same without the time for which the system let others run though the thread was ready: our own doing. */
  readonly blockedMs: number;
}

/** How late a timer of the main thread fires: the measure of a responsive process. */
export class LatenessWatch {
  readonly #interval: number;
  readonly #timer: NodeJS.Timeout;
  #expected: number;
  #waited: number;
  #worst: Lateness = {latenessMs: 0, blockedMs: 0};

  /** Starts a timer that should fire every `interval` milliseconds. */
  constructor(interval = 10) {
    this.#interval = interval;
    this.#expected = performance.now() + interval;
    this.#waited = waitedMs();
    this.#timer = setInterval(() => this.#look(), interval);
  }

  /** Stops the timer. */
  stop(): Lateness {
    clearInterval(this.#timer);
    this.#look();
    return this.#worst;
  }

  #look(): void {
    const now = performance.now();
    const waited = waitedMs();
    const lateness = now - this.#expected;
    this.#worst = {
      latenessMs: Math.max(this.#worst.latenessMs, lateness),
      blockedMs: Math.max(this.#worst.blockedMs, lateness - (waited - this.#waited)),
    };
    this.#expected = now + this.#interval;
    this.#waited = waited;
  }
}

const schedulerStatistics = '/proc/self/schedstat';
const hasStatistics = existsSync(schedulerStatistics);

/** For how long the main thread has been ready to run but did not; 0 where the system does not say. */
function waitedMs(): number {
  if (!hasStatistics) return 0;
  const [, waitedNanoseconds] = readFileSync(schedulerStatistics, 'utf8').split(' ');
  return Number(waitedNanoseconds) / 1e6;
}
