/**
 * Names that become paths in the cache: of repositories, revisions and files. None may lead out of its folder, whoever
 * gave it.
 */
import {invalidArgument} from '../errors.ts';

/** Git's, of commits and blobs. */
export const sha1Pattern = /^[0-9a-f]{40}$/;
export const sha256Pattern = /^[0-9a-f]{64}$/;

/** `name` or `owner/name`. */
const repositoryPattern = /^(?:[\w.-]+\/)?[\w.-]{1,96}$/;

/** @throws ArgumentError unless it is a name as the hub gives them; `--` parts owner and name in the cache */
export function checkRepository(repository: string): void {
  const isName =
    repositoryPattern.test(repository) &&
    !/--|\.\.|\.git$/.test(repository) &&
    repository.split('/').every(part => !/^[.-]|[.-]$/.test(part));
  if (!isName) {
    throw invalidArgument('repository', "a name such as 'owner/name'", repository);
  }
}

/** @throws ArgumentError unless it may be the name of a branch, a tag or a commit, by git's rules */
export function checkRevision(revision: string): void {
  const isName = isSafePath(revision) && !/[\s~^?*[]/.test(revision);
  if (!isName) throw invalidArgument('revision', 'a branch, a tag or a commit', revision);
}

/** Whether a path with slashes is relative, stays in its folder, and means the same on every system. */
export function isSafePath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\\:\u0000-\u001f]/.test(path)) return false;
  return path.split('/').every(part => part !== '' && part !== '.' && part !== '..');
}
