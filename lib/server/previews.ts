import type {JobEvent} from '../jobs/generation-queue.ts';
import type {Autoencoder} from '../pipelines/components/autoencoder.ts';
import type {EventStream} from './event-stream.ts';
import {previewPng} from './preview.ts';

/** Previews of jobs: one at a time of each, and none where the client is slow. */
export class Previews {
  readonly #vae: Autoencoder;
  readonly #events: EventStream;
  readonly #every: number | undefined;
  /** Jobs whose preview is in the making. */
  readonly #busy = new Set<number>();
  readonly #ended = new Set<number>();

  /** @param every how many steps; undefined for no previews at all */
  constructor(vae: Autoencoder, events: EventStream, every: number | undefined) {
    this.#vae = vae;
    this.#events = events;
    this.#every = every;
  }

  show(job: number, event: JobEvent & {readonly type: 'step'}): void {
    const {step, totalSteps, predOriginalSample} = event;
    const isDue = this.#every !== undefined && (step + 1) % this.#every === 0 && step + 1 < totalSteps;
    if (!isDue || this.#busy.has(job) || this.#events.isBehind) return;
    this.#busy.add(job);
    previewPng(this.#vae, predOriginalSample())
      .then(png => {
        if (!this.#ended.has(job)) this.#events.send('preview', {job, step, png: png.toString('base64')});
      })
      // A picture can do without.
      .catch(() => undefined)
      .finally(() => this.#busy.delete(job));
  }

  /** Of a job whose picture is there. */
  end(job: number): void {
    this.#ended.add(job);
  }
}
