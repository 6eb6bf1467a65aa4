/**
 * HTTP with one repository of a hub.
 */
import {ArgumentError, FileError} from '../errors.ts';
import {type RetryPolicy, TransientError} from '../network/retries.ts';
import {type HubAddress, refusal} from './hub-refusal.ts';

const maxRedirects = 10;
const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];

export interface HubClientOptions extends HubAddress {
  /** After so long without a byte, a connection is cut. */
  readonly stallSeconds: number;
  readonly retryPolicy: RetryPolicy;
}

export interface HubRequest {
  /** What error messages call it. */
  readonly what: string;
  /** Below the endpoint, or whole. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export class HubClient {
  readonly address: HubAddress;
  readonly retryPolicy: RetryPolicy;
  readonly #endpoint: URL;
  readonly #stallSeconds: number;

  /** @throws ArgumentError where the endpoint is no http or https URL */
  constructor(options: HubClientOptions) {
    this.#endpoint = parseEndpoint(options.endpoint);
    this.address = {...options, endpoint: this.#endpoint.href.replace(/\/+$/, '')};
    this.retryPolicy = options.retryPolicy;
    this.#stallSeconds = options.stallSeconds;
  }

  /**
   * One try of a GET. Status 416, which answers only who asked for a range, is left to `use`.
   *
   * @param use reads the answer, whose connection is closed afterwards
   * @throws TransientError where another try may work; FileError where the hub refuses; the signal's reason
   */
  async get<T>(request: HubRequest, use: (response: HubResponse) => Promise<T>): Promise<T> {
    const connection = new Connection(this.#stallSeconds, request.signal);
    const response = await this.#follow(request, connection);
    try {
      if (!response.ok && response.status !== 416) throw refusal(response, request.what, this.address);
      const {status, headers} = response;
      return await use({status, headers, chunks: connection.chunksOf(response)});
    } finally {
      await response.body?.cancel().catch(() => undefined);
    }
  }

  /** Redirects are followed here because the token must not go with them: it is for the endpoint alone. */
  async #follow({what, url, headers}: HubRequest, connection: Connection): Promise<Response> {
    let address = new URL(/^https?:/.test(url) ? url : `${this.address.endpoint}/${url}`);
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const isOwn = address.origin === this.#endpoint.origin;
      const {token} = this.address;
      const response = await connection.wait(signal =>
        fetch(address, {
          redirect: 'manual',
          signal,
          headers: {
            'user-agent': 'ip-adapter-instruct',
            // Ranges and sizes are those of the file itself.
            'accept-encoding': 'identity',
            ...headers,
            ...(isOwn && token !== undefined && {authorization: `Bearer ${token}`}),
          },
        }),
      );
      const location = response.headers.get('location');
      if (!redirectStatuses.includes(response.status) || location === null) return response;
      await response.body?.cancel().catch(() => undefined);
      address = redirected(what, address, location);
    }
    throw new FileError(
      `${what}: expected an answer after at most ${maxRedirects} redirects. Check HF_ENDPOINT.`,
    );
  }
}

function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ArgumentError(
    `endpoint: expected the http or https URL of a hub but received '${text}'. Correct HF_ENDPOINT.`,
  );
}

function redirected(what: string, from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  // What came by https must not go on in the clear.
  if (to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:')) return to;
  throw new FileError(
    `${what}: expected a redirect to an ${from.protocol.slice(0, -1)} address, got '${location}'. Check HF_ENDPOINT.`,
  );
}

/** The network side of one try: waits for it are ended by the caller's signal, and where nothing comes for too long. */
class Connection {
  readonly #stallSeconds: number;
  readonly #callerSignal: AbortSignal | undefined;
  readonly #stall = new AbortController();
  readonly #signal: AbortSignal;

  constructor(stallSeconds: number, signal: AbortSignal | undefined) {
    this.#stallSeconds = stallSeconds;
    this.#callerSignal = signal;
    this.#signal = AbortSignal.any([this.#stall.signal, ...(signal ? [signal] : [])]);
  }

  /** @throws TransientError, or the signal's reason */
  async wait<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#stall.abort(), this.#stallSeconds * 1000);
    try {
      return await work(this.#signal);
    } catch (cause) {
      this.#callerSignal?.throwIfAborted();
      const reason = this.#stall.signal.aborted
        ? `nothing came for ${this.#stallSeconds} s`
        : describeNetworkError(cause);
      throw new TransientError(reason, {cause});
    } finally {
      clearTimeout(timer);
    }
  }

  /** The time that whoever reads takes between two chunks, to write them, does not count as silence. */
  async *chunksOf({body}: Response): AsyncGenerator<Uint8Array> {
    if (body === null) return;
    const reader = body.getReader();
    try {
      for (;;) {
        const {done, value} = await this.wait(() => reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      reader.releaseLock();
    }
  }
}

/** Fetch says no more than that it has failed; its cause says why. */
function describeNetworkError(error: unknown): string {
  const {message, cause} = error as Error;
  return cause instanceof Error
    ? `${message} (${cause.message || (cause as NodeJS.ErrnoException).code})`
    : message;
}
