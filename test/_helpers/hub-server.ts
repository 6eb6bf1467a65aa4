import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type RequestListener, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import {HubClient, type HubClientOptions} from '../../lib/hub/hub-client.ts';
import type {RetryPolicy} from '../../lib/network/retries.ts';

export const repository = 'owner/model';
export const commit = '0123456789abcdef0123456789abcdef01234567';

/** As on the hub, large files are LFS files, known by their SHA-256. */
const lfsBytes = 1000;
const filesPerPage = 3;

export interface HubServer {
  readonly endpoint: string;
  /** Of the requests so far, in their order. */
  readonly requests: readonly IncomingMessage[];
  /** The `Range` headers of all requests for a file, in their order; `''` for those without. */
  readonly rangesOf: (path: string) => string[];
}

/** Answers in the place of the hub, or calls `proceed` for the hub's own answer. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, proceed: () => void) => void;

export type RepositoryContents = Readonly<Record<string, Uint8Array>>;

/** A hub on this machine, with one repository of one commit, until the test ends. */
export async function startHub(
  t: ExecutionContext,
  contents: RepositoryContents,
  misbehave: Misbehaviour = (_request, _response, proceed) => proceed(),
): Promise<HubServer> {
  const requests: IncomingMessage[] = [];
  const entries = Object.entries(contents).map(([path, content]) => treeEntry(path, content));
  const endpoint: string = await startServer(t, (request, response) => {
    requests.push(request);
    misbehave(request, response, () => answer({endpoint, contents, entries}, request, response));
  });
  const rangesOf = (path: string) =>
    requests.filter(({url}) => url === fileUrl(path)).map(({headers}) => headers.range ?? '');
  return {endpoint, requests, rangesOf};
}

/** @returns its address */
export async function startServer(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const quickPolicy: RetryPolicy = {
  tries: 3,
  firstWaitSeconds: 0.01,
  longestWaitSeconds: 0.02,
  longestRetryAfterSeconds: 60,
};

/** A client of {@link repository} that waits hardly at all between tries. */
export function quickClient(endpoint: string, options: Partial<HubClientOptions> = {}): HubClient {
  return new HubClient({
    endpoint,
    repository,
    revision: 'main',
    stallSeconds: 60,
    retryPolicy: quickPolicy,
    ...options,
  });
}

export function fileUrl(path: string): string {
  return `/${repository}/resolve/${commit}/${path}`;
}

export function treeUrl(page = 0): string {
  const url = `/api/models/${repository}/tree/${commit}?recursive=true&expand=false`;
  return page === 0 ? url : `${url}&cursor=${page}`;
}

/** The name of a file's contents in the cache. */
export function blobName(content: Uint8Array): string {
  return content.length < lfsBytes ? gitSha1(content) : createHash('sha256').update(content).digest('hex');
}

/** The whole file, or the range that was asked for. */
export function sendFile(request: IncomingMessage, response: ServerResponse, content: Uint8Array): void {
  const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
  const part = content.subarray(Number(from ?? 0));
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': part.length,
    ...(from !== undefined && {
      'content-range': `bytes ${from}-${content.length - 1}/${content.length}`,
    }),
  });
  response.end(part);
}

/** Sends the beginning of a file, and cuts the connection. */
export function cutAfter(response: ServerResponse, content: Uint8Array, bytes: number): void {
  response.writeHead(200, {'content-length': content.length});
  response.write(content.subarray(0, bytes), () => response.destroy());
}

interface Answering {
  readonly endpoint: string;
  readonly contents: RepositoryContents;
  readonly entries: readonly unknown[];
}

function answer(
  {endpoint, contents, entries}: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const {pathname, searchParams} = new URL(request.url!, endpoint);
  const file = Object.entries(contents).find(([path]) => pathname === fileUrl(path));
  if (file !== undefined) {
    sendFile(request, response, file[1]);
  } else if (pathname === `/api/models/${repository}/revision/main`) {
    sendJson(response, {sha: commit});
  } else if (request.url!.startsWith(treeUrl())) {
    const page = Number(searchParams.get('cursor') ?? 0);
    const end = (page + 1) * filesPerPage;
    if (end < entries.length) response.setHeader('link', `<${endpoint}${treeUrl(page + 1)}>; rel="next"`);
    const folder = {type: 'directory', oid: commit, size: 0, path: 'folder'};
    sendJson(response, [folder, ...entries.slice(page * filesPerPage, end)]);
  } else {
    refuse(response, 404, pathname.includes('/resolve/') ? 'EntryNotFound' : 'RevisionNotFound');
  }
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, {'x-error-code': code}).end();
}

export function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

export function treeEntry(path: string, content: Uint8Array) {
  const {length: size} = content;
  const entry = {type: 'file', path, size, oid: gitSha1(content)};
  return size < lfsBytes ? entry : {...entry, lfs: {oid: blobName(content), size, pointerSize: 130}};
}

function gitSha1(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
