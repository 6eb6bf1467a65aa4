import {PassThrough, type Readable} from 'node:stream';

/** A comment so often that proxies keep the connection, and that it is noticed when the client has gone. */
const heartbeatMs = 15_000;

/** Server-sent events (HTML Living Standard, section 9.2). */
export class EventStream {
  readonly #stream = new PassThrough();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#stream.write(': still here\n\n'), heartbeatMs);
    this.#heartbeat.unref();
    this.#stream.on('close', () => clearInterval(this.#heartbeat));
  }

  get body(): Readable {
    return this.#stream;
  }

  /** Whether the client reads more slowly than it is written to: what can be left out should be. */
  get isBehind(): boolean {
    return this.#stream.writableNeedDrain;
  }

  send(event: string, data: object): void {
    // After the client has left there is nobody to tell.
    if (this.#stream.writable) this.#stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    if (this.#stream.writable) this.#stream.end();
    clearInterval(this.#heartbeat);
  }
}
