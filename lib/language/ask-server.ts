/**
 * One request to `/chat/completions`, and all that may come back.
 */
import {LanguageModelError} from '../errors.ts';
import {readText} from '../network/read-text.ts';
import {TransientError} from '../network/retries.ts';
import {retryAfterSeconds} from '../network/retry-after.ts';
import {excerpt} from './excerpt.ts';
import {readCompletion} from './read-completion.ts';

export interface ServerRequest {
  readonly url: URL;
  readonly apiKey: string | undefined;
  readonly timeoutSeconds: number;
  /** JSON. */
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

/** More than any answer of sense. */
const longestAnswerBytes = 2 ** 20;

/** Beside the server's errors, 500 and up. */
const transientStatuses = [408, 409, 425, 429];

/**
 * @throws TransientError for what may pass
 * @throws LanguageModelError for what stays: no such model, no right to ask it, an answer without end
 * @throws UnusableAnswerError see `readCompletion`
 */
export async function askServer(request: ServerRequest): Promise<string> {
  const place = `${request.url.origin}${request.url.pathname}`;
  const {response, text} = await exchange(request, place);
  if (response.ok) return readCompletion(text, place);
  const {status, statusText} = response;
  const came = `${status} ${statusText}`.trim();
  const message = `${place}: expected a completion but received ${came}${quote(text, request.apiKey)}.`;
  if (status >= 500 || transientStatuses.includes(status))
    throw new TransientError(message, {retryAfterSeconds: retryAfterSeconds(response.headers)});
  throw new LanguageModelError(`${message} ${adviceFor(status)}`);
}

async function exchange({url, apiKey, timeoutSeconds, body, signal}: ServerRequest, place: string) {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(apiKey !== undefined && {authorization: `Bearer ${apiKey}`}),
      },
      body,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    const text = await readText(response.body ?? [], longestAnswerBytes, () => tooLong(place));
    return {response, text};
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof LanguageModelError) throw cause;
    const reason = timeout.aborted ? `none came in ${timeoutSeconds} seconds` : reasonOf(cause as Error);
    throw new TransientError(`${place}: expected an answer, but ${reason}.`, {cause});
  }
}

function tooLong(place: string): LanguageModelError {
  return new LanguageModelError(
    `${place}: expected an answer of at most ${longestAnswerBytes} bytes, but more came. ` +
      'Check that the URL is that of a language model, and that the server bounds its answers.',
  );
}

/** The cause says more than "fetch failed" or "terminated"; of several addresses, the first one's. */
function reasonOf(error: Error): string {
  const {cause} = error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0] as Error);
  return cause instanceof Error ? cause.message : error.message;
}

/** What a server says, for a message; servers may quote a wrong key. */
function quote(text: string, apiKey: string | undefined): string {
  const said = excerpt(apiKey === undefined ? text : text.replaceAll(apiKey, '…'));
  return said === '' ? '' : `: ${said}`;
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return 'Set OPENAI_API_KEY to a key that this server knows.';
  if (status === 404) return "Check the model's name and the URL, which usually ends in /v1.";
  return "Check the model's name, and that it reads pictures if it is shown any.";
}
