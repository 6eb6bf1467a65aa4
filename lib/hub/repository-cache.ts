/**
 * The cache folder of one repository, laid out as Python's huggingface_hub does, so that each finds what the other has
 * downloaded: contents by their hash in `blobs`, the files of a commit as links to them in `snapshots`, the commits of
 * branches and tags in `refs`, and in `trees` what a commit holds.
 */
import {link, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {dirname, join, posix, relative, sep} from 'node:path';
import {z} from 'zod';
import {contentsHash} from './contents-hash.ts';
import {writeFailure} from './disk-room.ts';
import {isSafePath, sha1Pattern, sha256Pattern} from './hub-names.ts';
import type {RepositoryFile} from './repository-files.ts';

const treeFormat = 1;
const tree = z.object({
  format_version: z.literal(treeFormat),
  files: z.record(
    z.string().refine(isSafePath),
    z.object({
      size: z.int().nonnegative(),
      blob_id: z.string().regex(sha1Pattern),
      lfs_sha256: z.string().regex(sha256Pattern).exactOptional(),
      lfs_size: z.int().nonnegative().exactOptional(),
    }),
  ),
});
type TreeEntry = z.infer<typeof tree>['files'][string];

let written = 0;

export class RepositoryCache {
  readonly folder: string;

  /** @param repository a name that {@link checkRepository} has accepted */
  constructor(cacheFolder: string, repository: string) {
    this.folder = join(cacheFolder, ['models', ...repository.split('/')].join('--'));
  }

  get blobFolder(): string {
    return join(this.folder, 'blobs');
  }

  blobPath(file: RepositoryFile): string {
    return join(this.blobFolder, contentsHash(file));
  }

  snapshotFolder(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  async makeBlobFolder(): Promise<void> {
    await this.#orWriteFailure(() => mkdir(this.blobFolder, {recursive: true}));
  }

  /** The commit that a branch or a tag stood for when it was last asked for. */
  async readCommit(revision: string): Promise<string | undefined> {
    const text = await readIfThere(join(this.folder, 'refs', revision));
    const commit = text?.trim() ?? '';
    return sha1Pattern.test(commit) ? commit : undefined;
  }

  async writeCommit(revision: string, commit: string): Promise<void> {
    await this.#write(join(this.folder, 'refs', revision), commit);
  }

  /** What a commit holds; undefined where that is not known, or not in a form that we know. */
  async readFiles(commit: string): Promise<RepositoryFile[] | undefined> {
    const parsed = tree.safeParse(parseJson((await readIfThere(this.#treePath(commit))) ?? ''));
    if (!parsed.success) return undefined;
    return Object.entries(parsed.data.files).map(([path, entry]) => fileOf(path, entry));
  }

  async writeFiles(commit: string, files: readonly RepositoryFile[]): Promise<void> {
    const entries = files.map(file => [file.path, treeEntry(file)]);
    const content = {format_version: treeFormat, files: Object.fromEntries(entries)};
    await this.#write(this.#treePath(commit), JSON.stringify(content));
  }

  /** Whether the blob is there, whole. */
  async hasBlob(file: RepositoryFile): Promise<boolean> {
    return (await sizeOf(this.blobPath(file))) === file.size;
  }

  /** Whether the file is there, whole, where a snapshot has it. */
  async hasFile(commit: string, {path, size}: RepositoryFile): Promise<boolean> {
    return (await sizeOf(join(this.snapshotFolder(commit), path))) === size;
  }

  /** The paths of all files of a snapshot that are there. */
  async snapshotPaths(commit: string): Promise<string[]> {
    const folder = this.snapshotFolder(commit);
    const entries = await readdir(folder, {recursive: true, withFileTypes: true}).catch(() => []);
    return entries
      .filter(entry => !entry.isDirectory())
      .map(entry => relative(folder, join(entry.parentPath, entry.name)).split(sep).join(posix.sep));
  }

  /** Puts a blob that is there where a snapshot has it. */
  async linkFile(commit: string, file: RepositoryFile): Promise<void> {
    const path = join(this.snapshotFolder(commit), file.path);
    const blob = this.blobPath(file);
    await this.#replace(path, async beside => {
      // Relative, so that the cache may be moved. Windows lets not everyone make symbolic links.
      await symlink(relative(dirname(path), blob), beside).catch(() => link(blob, beside));
    });
  }

  #treePath(commit: string): string {
    return join(this.folder, 'trees', `${commit}.json`);
  }

  async #write(path: string, text: string): Promise<void> {
    await this.#replace(path, beside => writeFile(beside, text));
  }

  /** Makes a file beside its place, which then takes it at once, so that nobody reads half of it. */
  async #replace(path: string, make: (beside: string) => Promise<void>): Promise<void> {
    const beside = `${path}.partial-${process.pid}-${written++}`;
    await this.#orWriteFailure(async () => {
      await mkdir(dirname(path), {recursive: true});
      try {
        await make(beside);
        await rename(beside, path);
      } finally {
        // Rename leaves it where both are links to one file.
        await rm(beside, {force: true});
      }
    });
  }

  async #orWriteFailure(work: () => Promise<unknown>): Promise<void> {
    await work().catch(async (cause: NodeJS.ErrnoException) => {
      throw await writeFailure(this.folder, 0, cause);
    });
  }
}

function fileOf(path: string, {size, blob_id, lfs_sha256}: TreeEntry): RepositoryFile {
  return {path, size, gitSha1: blob_id, ...(lfs_sha256 !== undefined && {sha256: lfs_sha256})};
}

function treeEntry({size, gitSha1, sha256}: RepositoryFile): TreeEntry {
  const lfs = sha256 === undefined ? {} : {lfs_sha256: sha256, lfs_size: size};
  return {size, blob_id: gitSha1, ...lfs};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ? stats.size : undefined;
}
