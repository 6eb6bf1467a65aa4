import {FileError} from '../errors.ts';
import {contentsHash} from './contents-hash.ts';
import {expectRoom} from './disk-room.ts';
import {downloadBlob} from './download-blob.ts';
import {HubClient} from './hub-client.ts';
import {
  defaultCacheFolder,
  defaultHubEndpoint,
  defaultToken,
  isOffline,
  stallSeconds,
} from './hub-environment.ts';
import {checkRepository, checkRevision, sha1Pattern} from './hub-names.ts';
import {resumableBytes} from './partial-file.ts';
import {RepositoryCache} from './repository-cache.ts';
import {fetchCommit, fetchFiles, type RepositoryFile} from './repository-files.ts';
import {defaultRetryPolicy, type RetryEvent} from './retry.ts';
import {type Selection, selectFiles} from './select-files.ts';

/** How many files are downloaded at once. */
const downloads = 4;

/** How far a download is. */
export interface PullEvent {
  /** The file that has grown. */
  readonly file: string;
  /** Bytes that are there, of all files that were asked for; less than before where a file begins anew. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Bytes that came over the network since the call began. */
  readonly receivedBytes: number;
}

/** Which files are downloaded, and where to. */
export interface PullOptions extends Selection {
  /** A branch, a tag or a commit. Default `main`. */
  readonly revision?: string | undefined;
  /** Default: that of Python's huggingface_hub, by `HF_HUB_CACHE`, `HF_HOME` and `XDG_CACHE_HOME`. */
  readonly cacheFolder?: string | undefined;
  /** Uses only what is in the cache. Default: whether `HF_HUB_OFFLINE` says so. */
  readonly offline?: boolean | undefined;
  /** Ends the download; what came stays for the next. Its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called as bytes come. */
  readonly onProgress?: ((event: PullEvent) => void) | undefined;
  /** Called before a failed request is tried again. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
}

/** Where a download lies. */
export interface PulledModel {
  /** Of the snapshot: what a pipeline's `model` takes, where the repository is a diffusers folder. */
  readonly folder: string;
  readonly commit: string;
  /** What was asked for, relative to the folder. */
  readonly files: readonly string[];
}

/**
 * Downloads from the Hugging Face hub what this package can use of a repository, or the files that are named, into the
 * cache that Python's huggingface_hub has too. What is there is not downloaded again, what was cut off is gone on with,
 * and no file takes its place before its hash is right. The hub is at `HF_ENDPOINT`; `HF_TOKEN`, or the file where
 * Python's tools keep the token, opens what is private.
 *
 * @param repository its name on the hub, `owner/name`
 * @throws ArgumentError for a name that is none; FileError where the hub does not give the files, the disk is full, or,
 *   offline, files are missing
 */
export async function pullModel(repository: string, options: PullOptions = {}): Promise<PulledModel> {
  const {revision = 'main', cacheFolder = defaultCacheFolder(), offline = isOffline()} = options;
  checkRepository(repository);
  checkRevision(revision);
  const cache = new RepositoryCache(cacheFolder, repository);
  if (offline) return findPulled(cache, repository, revision, options);
  const client = new HubClient({
    endpoint: defaultHubEndpoint(),
    repository,
    revision,
    token: await defaultToken(),
    stallSeconds: stallSeconds(),
    retryPolicy: defaultRetryPolicy,
  });
  return pullSnapshot(client, cache, options);
}

/** What the cache has of a repository. */
async function findPulled(
  cache: RepositoryCache,
  repository: string,
  revision: string,
  options: PullOptions,
): Promise<PulledModel> {
  const missing = (what: string) =>
    new FileError(
      `offline: expected ${what} of ${repository}, ${revision}, in ${cache.folder}. Pull it once while online.`,
    );
  const commit = sha1Pattern.test(revision) ? revision : await cache.readCommit(revision);
  if (commit === undefined) throw missing('a snapshot');
  const present = await cache.snapshotPaths(commit);
  if (present.length === 0) throw missing('a snapshot');
  const files = await cache.readFiles(commit);
  // Older tools leave no list of what a commit holds: then what is there is all there is to choose from.
  if (files === undefined) {
    return pulled(
      cache,
      commit,
      selectFiles(
        present.map(path => ({path})),
        options,
      ),
    );
  }
  const selected = selectFiles(files, options);
  const absent = [];
  for (const file of selected) if (!(await cache.hasFile(commit, file))) absent.push(file.path);
  if (absent.length > 0) throw missing(absent.join(', '));
  return pulled(cache, commit, selected);
}

/** {@link pullModel} with a client that is ready. */
export async function pullSnapshot(
  client: HubClient,
  cache: RepositoryCache,
  options: PullOptions,
): Promise<PulledModel> {
  const {revision} = client.address;
  const isCommit = sha1Pattern.test(revision);
  const commit = isCommit ? revision : await fetchCommit(client, options);
  const files = (await cache.readFiles(commit)) ?? (await fetchFiles(client, commit, options));
  const selected = selectFiles(files, options);
  await cache.writeFiles(commit, files);
  await downloadMissing(client, cache, commit, selected, options);
  // Last, so that whoever is offline meanwhile finds the older commit, whole.
  if (!isCommit) await cache.writeCommit(revision, commit);
  return pulled(cache, commit, selected);
}

function pulled(cache: RepositoryCache, commit: string, files: readonly {path: string}[]): PulledModel {
  return {folder: cache.snapshotFolder(commit), commit, files: files.map(({path}) => path)};
}

async function downloadMissing(
  client: HubClient,
  cache: RepositoryCache,
  commit: string,
  files: readonly RepositoryFile[],
  options: PullOptions,
): Promise<void> {
  const {onProgress, onRetry} = options;
  const missing: RepositoryFile[] = [];
  for (const file of files) if (!(await cache.hasFile(commit, file))) missing.push(file);
  if (missing.length === 0) return;
  await cache.makeBlobFolder();
  // Files with the same contents are one blob.
  const blobs = new Map<string, RepositoryFile>();
  for (const file of missing) if (!(await cache.hasBlob(file))) blobs.set(contentsHash(file), file);
  await expectRoomFor(cache, [...blobs.values()]);

  const sizes = new Map<RepositoryFile, number>();
  const totalBytes = sum(files.map(({size}) => size));
  const presentBytes = totalBytes - sum([...blobs.values()].map(({size}) => size));
  let receivedBytes = 0;
  await forEach([...blobs.values()], options.signal, (file, signal) =>
    downloadBlob(client, file, {
      path: cache.blobPath(file),
      commit,
      signal,
      onRetry,
      onSize: (size, received) => {
        sizes.set(file, size);
        receivedBytes += received;
        const doneBytes = presentBytes + sum(sizes.values());
        onProgress?.({file: file.path, doneBytes, totalBytes, receivedBytes});
      },
    }),
  );
  for (const file of missing) await cache.linkFile(commit, file);
}

async function expectRoomFor(cache: RepositoryCache, files: readonly RepositoryFile[]): Promise<void> {
  let bytes = 0;
  for (const file of files) bytes += Math.max(file.size - (await resumableBytes(cache.blobPath(file))), 0);
  await expectRoom(cache.blobFolder, bytes);
}

/** Several at once. The first that fails ends the others, and is thrown once they have ended. */
async function forEach<T>(
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]);
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const workers = Array.from({length: downloads}, () =>
    worker().catch((error: unknown) => failure.abort(error)),
  );
  await Promise.all(workers);
  failure.signal.throwIfAborted();
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
