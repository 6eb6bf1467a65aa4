/**
 * What is measured of a server, for Prometheus.
 */
import {Counter, Gauge, Histogram, Registry} from 'prom-client';
import type {Generator} from '../jobs/generation-queue.ts';
import type {GenerateEvent} from '../pipelines/generate-options.ts';
import type {Device} from '../runtime/device.ts';

/** The latest batch counts this much in the mean of a batch's time. */
const latestShare = 0.3;

export class Metrics {
  readonly registry = new Registry();
  readonly requests: Counter<'route' | 'status'>;
  readonly requestSeconds: Histogram<'route'>;
  readonly cancelled: Counter;
  readonly #batchSize: Histogram;
  readonly #stepSeconds: Histogram;
  readonly #pictures: Counter;
  #batchSeconds: number | undefined;

  /** @param waiting how many jobs wait */
  constructor(waiting: () => number) {
    const registers = [this.registry];
    this.requests = new Counter({
      name: 'ipai_requests_total',
      help: 'Requests that were answered.',
      labelNames: ['route', 'status'],
      registers,
    });
    this.requestSeconds = new Histogram({
      name: 'ipai_request_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: ['route'],
      buckets: [0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 60, 120, 300],
      registers,
    });
    this.cancelled = new Counter({
      name: 'ipai_requests_cancelled_total',
      help: 'Requests whose client left before the answer.',
      registers,
    });
    this.#batchSize = new Histogram({
      name: 'ipai_batch_size',
      help: 'Pictures of a batch.',
      buckets: [1, 2, 4, 8, 16, 32],
      registers,
    });
    this.#stepSeconds = new Histogram({
      name: 'ipai_step_seconds',
      help: 'A denoising step of a batch.',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    });
    this.#pictures = new Counter({
      name: 'ipai_pictures_total',
      help: 'Pictures that were made.',
      registers,
    });
    new Gauge({
      name: 'ipai_jobs_waiting',
      help: 'Jobs that wait for their batch.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
    new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Memory of the process.',
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  /** Adds what the pipeline holds on its device. */
  watchDevice(device: Device): void {
    new Gauge({
      name: 'ipai_device_memory_bytes',
      help: 'Tensors, and the memory that programs share.',
      labelNames: ['device', 'kind'],
      registers: [this.registry],
      collect() {
        for (const [kind, bytes] of Object.entries(device.memoryUsage())) {
          this.set({device: device.name, kind}, bytes);
        }
      },
    });
  }

  /** The same generator, measured. */
  measure(generator: Generator): Generator {
    return {
      generate: async options => {
        this.#batchSize.observe([options.prompt].flat().length);
        let lastStep: number | undefined;
        const onProgress = (event: GenerateEvent) => {
          if (event.type === 'step') {
            const now = performance.now();
            if (lastStep !== undefined) this.#stepSeconds.observe((now - lastStep) / 1000);
            lastStep = now;
          }
          options.onProgress?.(event);
        };
        const result = await generator.generate({...options, onProgress});
        const {images, timings} = result;
        this.#pictures.inc(images.length);
        const earlier = this.#batchSeconds ?? timings.totalSeconds;
        this.#batchSeconds = earlier + latestShare * (timings.totalSeconds - earlier);
        return result;
      },
    };
  }

  /** Whole seconds that a batch takes, as lately measured: after as many there is room for more jobs. At least 1. */
  get secondsToRoom(): number {
    return Math.max(Math.ceil(this.#batchSeconds ?? 1), 1);
  }
}
