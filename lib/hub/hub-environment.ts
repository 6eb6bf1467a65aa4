/**
 * Where the hub and its cache are, by the environment variables that Python's huggingface_hub reads.
 *
 * | variable                                | meaning                                                             |
 * | --------------------------------------- | ------------------------------------------------------------------- |
 * | `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE` | cache folder; default: `hub` in the hub's home                      |
 * | `HF_HOME`                               | the hub's home; default: `huggingface` in `XDG_CACHE_HOME`, ~/.cache |
 * | `HF_ENDPOINT`                           | the hub's address; default: https://huggingface.co                  |
 * | `HF_TOKEN`, `HUGGING_FACE_HUB_TOKEN`    | access token                                                        |
 * | `HF_TOKEN_PATH`                         | file with the token; default: `token` in the hub's home             |
 * | `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE` | 1, on, yes or true: nothing is asked of the hub                    |
 * | `HF_HUB_DOWNLOAD_TIMEOUT`               | seconds without a byte after which a connection is cut; default: 10 |
 */
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {ArgumentError, FileError} from '../errors.ts';

const defaultEndpoint = 'https://huggingface.co';
const defaultStallSeconds = 10;

export function defaultCacheFolder(): string {
  return path('HF_HUB_CACHE') ?? path('HUGGINGFACE_HUB_CACHE') ?? join(home(), 'hub');
}

export function defaultHubEndpoint(): string {
  return variable('HF_ENDPOINT') ?? defaultEndpoint;
}

/** @throws FileError where there is a file for the token that cannot be read */
export async function defaultToken(): Promise<string | undefined> {
  const token = variable('HF_TOKEN') ?? variable('HUGGING_FACE_HUB_TOKEN') ?? (await readToken());
  return token?.trim() || undefined;
}

export function isOffline(): boolean {
  const text = variable('HF_HUB_OFFLINE') ?? variable('TRANSFORMERS_OFFLINE') ?? '';
  return ['1', 'ON', 'YES', 'TRUE'].includes(text.toUpperCase());
}

/** @throws ArgumentError unless it is a number over 0 */
export function stallSeconds(): number {
  const text = variable('HF_HUB_DOWNLOAD_TIMEOUT');
  if (text === undefined) return defaultStallSeconds;
  const seconds = Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new ArgumentError(
    `environment variable HF_HUB_DOWNLOAD_TIMEOUT: expected a number of seconds over 0 but received '${text}'.`,
  );
}

async function readToken(): Promise<string | undefined> {
  const file = path('HF_TOKEN_PATH') ?? join(home(), 'token');
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new FileError(
      `${file}: expected the hub's access token: ${cause.message}. Correct it, or set HF_TOKEN.`,
      {cause},
    );
  });
}

function home(): string {
  return path('HF_HOME') ?? join(path('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
}

function path(name: string): string | undefined {
  return variable(name)?.replace(/^~(?=$|[/\\])/, homedir());
}

/** An empty variable counts as one that is not set. */
function variable(name: string): string | undefined {
  return process.env[name] || undefined;
}
