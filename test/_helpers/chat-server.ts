import {createServer, type IncomingHttpHeaders, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';

export interface ChatRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of it, it knows
  readonly body: any;
}

/** How one request is answered. */
export type Reply = (response: ServerResponse) => void;

export interface ChatServer {
  readonly baseUrl: string;
  /** All that came, in order. */
  readonly requests: readonly ChatRequest[];
}

/**
 * A language model's server on this machine that gives the replies in turn, the last one again and again; a text stands
 * for a completion that says it. Closed after the test.
 */
export async function chatServer(
  t: ExecutionContext,
  ...replies: readonly (Reply | string)[]
): Promise<ChatServer> {
  const requests: ChatRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const {method, url: path, headers} = incoming;
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const number = requests.push({method, path, headers, body});
    const reply = replies[Math.min(number, replies.length) - 1]!;
    (typeof reply === 'string' ? saying(reply) : reply)(response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return {baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests};
}

/** A completion with this text. */
export function saying(content: string | null, choice: object = {}, message: object = {}): Reply {
  return withBody(
    JSON.stringify({choices: [{index: 0, finish_reason: 'stop', message: {content, ...message}, ...choice}]}),
  );
}

export function withBody(body: string): Reply {
  return response => response.writeHead(200, {'content-type': 'application/json'}).end(body);
}

export function withStatus(status: number, body = '', headers: Record<string, string> = {}): Reply {
  return response => response.writeHead(status, headers).end(body);
}

/** Begins an answer and hangs up in its middle. */
export const hangUp: Reply = response => {
  response.writeHead(200, {'content-length': '1000'});
  response.write('{"choices": [', () => response.destroy());
};

export const never: Reply = () => undefined;
