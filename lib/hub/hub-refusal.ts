/**
 * What an answer means that is not what was asked for.
 */
import {FileError} from '../errors.ts';
import {TransientError} from '../network/retries.ts';
import {retryAfterSeconds} from '../network/retry-after.ts';

/** What is asked for, and of whom. */
export interface HubAddress {
  /** URL without a slash at its end. */
  readonly endpoint: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly revision: string;
  readonly token?: string | undefined;
}

/**
 * Of an answer whose status is no success. The hub tells by the header `X-Error-Code` what it means; it answers 401 for
 * what is private and for what does not exist, so that nobody learns which.
 */
export function refusal(response: Response, what: string, address: HubAddress): Error {
  const {status, headers} = response;
  if (status === 408 || status === 429 || status >= 500) {
    return new TransientError(`the server answers ${statusText(response)}`, {
      retryAfterSeconds: resetSeconds(headers) ?? retryAfterSeconds(headers),
    });
  }
  const {endpoint, repository, revision, token} = address;
  const code = headers.get('x-error-code');
  const message = headers.get('x-error-message');
  const asWhom = token === undefined ? 'no token was given' : 'the token does not open it';
  if (code === 'GatedRepo') {
    return new FileError(
      `${what}: expected access to ${repository}, which is gated, but ${asWhom}. Accept its terms at ` +
        `${endpoint}/${repository}, and set HF_TOKEN to a token of that account.`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new FileError(
      `${repository}: expected a branch, a tag or a commit '${revision}', but there is none. Check the revision.`,
    );
  }
  if (code === 'EntryNotFound') {
    return new FileError(`${what}: expected the file in ${repository}, but it is not there.`);
  }
  if (status === 401 && message?.includes('Invalid credentials')) {
    return new FileError(
      `${what}: expected a valid token, but ${endpoint} refuses the one that was given. ` +
        "Correct HF_TOKEN or the hub's token file, or remove it for what is public.",
    );
  }
  if (code === 'RepoNotFound' || status === 401 || status === 403 || status === 404) {
    return new FileError(
      `${what}: expected a repository ${repository} at ${endpoint}, but there is none, or it is private and ${asWhom}. ` +
        'Check its name; for a private one, set HF_TOKEN to a token that may read it.',
    );
  }
  return new FileError(
    `${what}: expected the file from ${new URL(response.url).host}, got ${statusText(response)}` +
      `${message ? ` (${message})` : ''}.`,
  );
}

function statusText({status, statusText}: Response): string {
  return statusText ? `${status} ${statusText}` : String(status);
}

/** The reset of the RateLimit header draft, which the hub sends. */
function resetSeconds(headers: Headers): number | undefined {
  const limit = /;\s*r=0;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '');
  return limit ? Number(limit[1]) : undefined;
}
