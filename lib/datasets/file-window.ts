/**
 * Small parts of a file, read in the order in which they lie there.
 */
import type {FileHandle} from 'node:fs/promises';

/** Some members of a shard of small pictures; of large ones a header and a little more. */
const windowBytes = 65_536;

export class FileWindow {
  readonly #file: FileHandle;
  readonly #window = Buffer.alloc(windowBytes);
  #begin = 0;
  #end = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Bytes of the file, fewer where it ends; they hold until the next read. */
  async read(position: number, length: number): Promise<Buffer> {
    if (length > windowBytes) {
      const {buffer, bytesRead} = await this.#file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    }
    if (position < this.#begin || position + length > this.#end) {
      const {bytesRead} = await this.#file.read(this.#window, 0, windowBytes, position);
      this.#begin = position;
      this.#end = position + bytesRead;
    }
    return this.#window.subarray(
      position - this.#begin,
      Math.min(position + length, this.#end) - this.#begin,
    );
  }
}
