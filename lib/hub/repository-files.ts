/**
 * What a repository holds at a commit. Two GETs, of the API that every mirror of the hub has: a client library would
 * bring no more for them, and has no signal, retries or checks for the downloads.
 */
import {z} from 'zod';
import {FileError} from '../errors.ts';
import {readText} from '../network/read-text.ts';
import type {HubClient, HubRequest} from './hub-client.ts';
import {isSafePath, sha1Pattern, sha256Pattern} from './hub-names.ts';
import {type RetryOptions, withHubRetries} from './retry.ts';

const maxAnswerBytes = 64 * 2 ** 20;
/** Of a thousand files each, on the hub. */
const maxPages = 100;

export interface RepositoryFile {
  /** With slashes; never out of its folder. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Git's SHA-1 of the blob, which of an LFS file is a pointer. */
  readonly gitSha1: string;
  /** Of the contents of an LFS file. */
  readonly sha256?: string;
}

const revisionAnswer = z.object({sha: z.string().regex(sha1Pattern)});
const size = z.int().nonnegative();
const fileEntry = z.object({
  type: z.literal('file'),
  path: z.string().refine(isSafePath, 'must be a relative path within its folder'),
  size,
  oid: z.string().regex(sha1Pattern),
  lfs: z.object({oid: z.string().regex(sha256Pattern), size}).optional(),
});
const otherEntry = z.object({type: z.string().refine(type => type !== 'file')});
const treeAnswer = z.array(z.union([fileEntry, otherEntry]));

type Options = Omit<RetryOptions, 'policy'>;

/** The commit that a branch or a tag stands for. @throws FileError where there is none, or no answer */
export async function fetchCommit(client: HubClient, options: Options): Promise<string> {
  const {repository, revision} = client.address;
  const url = `api/models/${repository}/revision/${encodeURIComponent(revision)}`;
  const {json} = await getJson(client, {what: repository, url}, options);
  return parse(revisionAnswer, json, url).sha;
}

/** All files of a commit. @throws FileError where the answer cannot be had, or names files that no repository has */
export async function fetchFiles(
  client: HubClient,
  commit: string,
  options: Options,
): Promise<RepositoryFile[]> {
  const {repository} = client.address;
  const files: RepositoryFile[] = [];
  let url: string | undefined = `api/models/${repository}/tree/${commit}?recursive=true&expand=false`;
  for (let page = 0; url !== undefined; page++) {
    if (page === maxPages) {
      throw new FileError(
        `${repository}: expected a list of files of at most ${maxPages} pages. Check HF_ENDPOINT.`,
      );
    }
    const {json, next} = await getJson(client, {what: repository, url}, options);
    for (const entry of parse(treeAnswer, json, url)) if ('path' in entry) files.push(fileOf(entry));
    url = next;
  }
  return files;
}

function fileOf({path, size, oid, lfs}: z.infer<typeof fileEntry>): RepositoryFile {
  return {path, size: lfs?.size ?? size, gitSha1: oid, ...(lfs && {sha256: lfs.oid})};
}

interface Page {
  readonly json: unknown;
  /** URL of the page that follows. */
  readonly next: string | undefined;
}

function getJson(client: HubClient, request: HubRequest, options: Options): Promise<Page> {
  const {what, url} = request;
  const {signal} = options;
  return withHubRetries(what, {policy: client.retryPolicy, ...options}, () =>
    client.get({...request, signal}, async ({headers, chunks}) => {
      const text = await readText(chunks, maxAnswerBytes, () =>
        unexpected(url, `more than ${maxAnswerBytes} bytes`),
      );
      const [, next] = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '') ?? [];
      try {
        return {json: JSON.parse(text), next};
      } catch (cause) {
        throw unexpected(url, /^\s*</.test(text) ? 'a web page' : 'something else', {cause});
      }
    }),
  );
}

function parse<Schema extends z.ZodType>(schema: Schema, json: unknown, url: string): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const {path, message} = parsed.error.issues[0]!;
  throw unexpected(url, `other JSON (${[...path, message].join(': ')})`, {cause: parsed.error});
}

function unexpected(url: string, got: string, options?: ErrorOptions): FileError {
  return new FileError(
    `${url}: expected the hub's JSON, got ${got}. Check HF_ENDPOINT, and whether the network asks to sign in.`,
    options,
  );
}
