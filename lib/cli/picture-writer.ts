import {join, parse} from 'node:path';
import {writeImage} from '../images/write-image.ts';
import type {GenerateEvent} from '../pipelines/generate-options.ts';

/** Writes pictures as they are finished, so that those which are survive whatever stops the others. */
export class PictureWriter {
  readonly #path: string;
  readonly #parameters: Readonly<Record<string, unknown>>;
  readonly #files: string[] = [];
  #queue: Promise<void> = Promise.resolve();

  /**
   * @param path of the picture; of several, each has its number before the ending
   * @param parameters what each picture's file says of its making
   */
  constructor(path: string, parameters: Readonly<Record<string, unknown>>) {
    this.#path = path;
    this.#parameters = parameters;
  }

  /** Takes a finished picture; returns at once. */
  add({image: index, totalImages, picture, seed}: Extract<GenerateEvent, {type: 'picture'}>): void {
    const path = numbered(this.#path, index, totalImages);
    this.#queue = this.#queue.then(async () => {
      await writeImage(path, picture, {parameters: {...this.#parameters, seed}});
      this.#files.push(path);
    });
    // `finish` reports it; until then it is no unhandled rejection.
    this.#queue.catch(() => undefined);
  }

  /**
   * Waits until all pictures are written.
   *
   * @returns their paths
   * @throws FileError where one could not be written
   */
  async finish(): Promise<readonly string[]> {
    await this.#queue;
    return this.#files;
  }
}

/** Of several: `name.png` to `name-3.png`. */
export function numbered(path: string, index: number, total: number): string {
  if (total === 1) return path;
  const {dir, name, ext} = parse(path);
  return join(dir, `${name}-${index}${ext}`);
}
