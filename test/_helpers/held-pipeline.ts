import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {ServedPipeline} from '../../lib/server/server-options.ts';

/** Of a pipeline that makes nothing: what is told of models. */
let models: Promise<ServedPipeline['models']> | undefined;

/** A pipeline whose generations go on when the test says so. */
export class HeldPipeline implements ServedPipeline {
  readonly models: ServedPipeline['models'];
  readonly prompts: string[][] = [];
  aborted = 0;
  #release = () => {};
  #released = new Promise<void>(resolve => {
    this.#release = resolve;
  });

  private constructor(models: ServedPipeline['models']) {
    this.models = models;
  }

  static async create(): Promise<HeldPipeline> {
    models ??= IPAdapterInstructPipeline.random().then(pipeline => pipeline.models);
    return new HeldPipeline(await models);
  }

  release(): void {
    this.#release();
  }

  async generate({prompt, seed, signal}: GenerateOptions) {
    const prompts = [prompt].flat() as string[];
    this.prompts.push(prompts);
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        this.aborted++;
        reject(signal.reason);
      });
    });
    await Promise.race([this.#released, aborted]);
    if (prompts.includes('broken')) throw new TypeError('secret of the house');
    const images = ([seed].flat() as number[]).map(own => ({
      image: {width: 1, height: 1, data: new Uint8Array(3)},
      latents: {shape: [1], data: new Float32Array(1)},
      seed: own,
    }));
    return {images, timings: {encodeSeconds: 0, denoiseSeconds: 0, decodeSeconds: 0, totalSeconds: 2.5}};
  }
}
