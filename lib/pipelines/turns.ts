/**
 * The order of a pipeline's work: generations run beside each other, a change of its models alone.
 */

const nothing = () => {};

export class Turns {
  /** What was asked for and has not ended. Never rejects. */
  readonly #running = new Set<Promise<void>>();
  /** The end of the last change. */
  #changed = Promise.resolve();

  /** Runs as soon as the changes before it have ended. */
  shared<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#changed.then(run);
    this.#track(turn);
    return turn;
  }

  /** Runs when all that was asked for before has ended; what is asked for after waits for it. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.idle().then(run);
    this.#changed = this.#track(turn);
    return turn;
  }

  /** Waits for all that was asked for. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #track(turn: Promise<unknown>): Promise<void> {
    const ended = turn.then(nothing, nothing).finally(() => this.#running.delete(ended));
    this.#running.add(ended);
    return ended;
  }
}
