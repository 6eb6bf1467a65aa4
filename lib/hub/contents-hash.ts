/**
 * The hash by which the hub knows a file's contents, and the cache calls them.
 */
import {createHash, type Hash} from 'node:crypto';
import type {RepositoryFile} from './repository-files.ts';

/** SHA-256 of LFS files, git's SHA-1 of others; in hexadecimal digits. */
export function contentsHash({sha256, gitSha1}: RepositoryFile): string {
  return sha256 ?? gitSha1;
}

/** What the contents are to be added to. Git puts a header before those of a blob. */
export function startContentsHash({sha256, size}: RepositoryFile): Hash {
  return sha256 === undefined ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256');
}
