/** How late timers of the main thread fire: the measure of a responsive process. */
export class LatenessWatch {
  readonly #interval: number;
  readonly #timer: NodeJS.Timeout;
  #expected: number;
  #worst = 0;

  /** Starts a timer that should fire every `interval` milliseconds. */
  constructor(interval = 10) {
    this.#interval = interval;
    this.#expected = performance.now() + interval;
    this.#timer = setInterval(() => this.#fire(), interval);
  }

  /** Stops the timer. @returns by how many milliseconds it was late at the worst, up to this moment */
  stop(): number {
    clearInterval(this.#timer);
    return Math.max(this.#worst, performance.now() - this.#expected);
  }

  #fire(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#expected);
    this.#expected = now + this.#interval;
  }
}
