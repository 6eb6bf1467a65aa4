import {FileError} from '../errors.ts';
import {TransientError} from '../network/retries.ts';
import {contentsHash, startContentsHash} from './contents-hash.ts';
import type {HubClient, HubResponse} from './hub-client.ts';
import {PartialFile} from './partial-file.ts';
import type {RepositoryFile} from './repository-files.ts';
import {type RetryOptions, withHubRetries} from './retry.ts';

export interface DownloadOptions extends Omit<RetryOptions, 'policy'> {
  /** Where the file goes once it is whole and its hash is right. */
  readonly path: string;
  readonly commit: string;
  /** Called as it grows, or begins anew: with the bytes that are there, and those that came with this call. */
  readonly onSize: (size: number, received: number) => void;
}

/**
 * Downloads one file of a commit, from where an earlier download has stopped. Contents with another hash than the hub's
 * are thrown away, and fetched once more from the beginning.
 *
 * A commit and a path name one version of a file for ever, so that ranges go without `If-Range`: the nodes of a CDN
 * differ in their ETags, and the hash at the end tells all.
 *
 * @throws FileError where the hub does not give it, gives other contents twice, or the disk is full; what came stays
 *   for the next download
 */
export async function downloadBlob(
  client: HubClient,
  file: RepositoryFile,
  options: DownloadOptions,
): Promise<void> {
  const {path, signal, onRetry} = options;
  const partial = await PartialFile.open({
    path,
    expectedSize: file.size,
    startHash: () => startContentsHash(file),
    signal,
  });
  try {
    if (await isWhole(client, file, partial, options)) return await partial.finish();
    onRetry?.({what: file.path, reason: `the contents have the hash ${partial.hash()}`, waitSeconds: 0});
    await partial.restart();
    if (await isWhole(client, file, partial, options)) return await partial.finish();
    const got = partial.hash();
    await partial.restart();
    throw new FileError(
      `${file.path}: expected contents with the hash ${contentsHash(file)}, got ${got}, twice. ` +
        'They are thrown away. The hub, or what lies between, gives a damaged file: try again later, or elsewhere.',
    );
  } finally {
    await partial.close();
  }
}

/** Fetches what is missing. @returns whether the contents have the hub's hash */
async function isWhole(
  client: HubClient,
  file: RepositoryFile,
  partial: PartialFile,
  options: DownloadOptions,
): Promise<boolean> {
  const {signal, onRetry, onSize} = options;
  onSize(partial.size, 0);
  let longest = partial.size;
  await withHubRetries(file.path, {policy: client.retryPolicy, signal, onRetry}, async progressed => {
    // A server that begins anew each time, and never comes further, brings nothing.
    const grown = () => {
      if (partial.size <= longest) return;
      longest = partial.size;
      progressed();
    };
    await fetchRest(client, file, partial, options, grown);
  });
  return partial.hash() === contentsHash(file);
}

async function fetchRest(
  client: HubClient,
  file: RepositoryFile,
  partial: PartialFile,
  {commit, signal, onSize}: DownloadOptions,
  grown: () => void,
): Promise<void> {
  if (partial.size >= file.size) return;
  const from = partial.size;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  const request = {
    what: file.path,
    url: `${client.address.repository}/resolve/${commit}/${path}`,
    headers: from > 0 ? {range: `bytes=${from}-`} : {},
    signal,
  };
  await client.get(request, async response => {
    if (from > 0 && !continuesAt(response, from)) {
      await partial.restart();
      onSize(0, 0);
    }
    if (response.status === 416) throw new TransientError(`the server has nothing from byte ${from} on`);
    const offered = offeredSize(response);
    if (offered !== undefined && offered !== file.size) {
      throw new TransientError(`the server offers ${offered} bytes, not the ${file.size} of the file`);
    }
    for await (const chunk of response.chunks) {
      await partial.append(chunk);
      onSize(partial.size, chunk.length);
      grown();
      // Too long: the hash tells.
      if (partial.size > file.size) return;
    }
  });
  if (partial.size < file.size) {
    throw new TransientError(`the connection ended after ${partial.size} of ${file.size} bytes`);
  }
}

function continuesAt({status, headers}: HubResponse, from: number): boolean {
  return status === 206 && (headers.get('content-range') ?? '').startsWith(`bytes ${from}-`);
}

/** Of the whole file; undefined where the server does not tell. */
function offeredSize({status, headers}: HubResponse): number | undefined {
  // What is packed on the way has another length.
  if (headers.has('content-encoding')) return undefined;
  const size =
    status === 206 ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : headers.get('content-length');
  return size ? Number(size) : undefined;
}
