/**
 * Language models behind OpenAI's HTTP interface for chats, which llama.cpp, vLLM, Ollama and most hosts speak too.
 */
import {ArgumentError, invalidArgument, LanguageModelError} from '../errors.ts';
import {type GivenUp, withRetries} from '../network/retries.ts';
import {languageModelKey, languageModelName, languageModelUrl} from '../runtime/env.ts';
import {askServer} from './ask-server.ts';
import type {CompletionRequest, LanguageModel} from './language-model.ts';
import {pictureUrl} from './picture-url.ts';

/** Which server, which model, and how long to wait for it. */
export interface OpenAiCompatibleOptions {
  /** Up to and with the version: `http://localhost:8080/v1`. Default: environment variable `OPENAI_BASE_URL`. */
  readonly baseUrl?: string;
  /** Default: environment variable `OPENAI_API_KEY`; where there is none, as for servers of one's own, none is sent. */
  readonly apiKey?: string;
  /** The server's name for it. Default: environment variable `IPAI_LANGUAGE_MODEL`. */
  readonly model?: string;
  /** Default: the server's. */
  readonly temperature?: number;
  /** For one attempt, up to the end of the answer; at most 300. Default: 120. */
  readonly timeoutSeconds?: number;
  /**
   * How often a request is repeated that failed for a reason which may pass: no connection, no answer in time, a
   * server's error, too many requests, an answer that is broken off or no JSON. Pauses double from half a second, unless
   * the server says how long to wait. Default: 4.
   */
  readonly maxRetries?: number;
}

/** Of `fetch`, which waits no longer for the head of an answer. */
const longestTimeoutSeconds = 300;

/**
 * A model that reads pictures if the server's does; they are sent as JPEG, their longer side brought to 512 at most.
 *
 * @throws ArgumentError where URL or model are missing, or an option is not acceptable
 */
export function openAiCompatible(options: OpenAiCompatibleOptions = {}): LanguageModel {
  const {temperature, timeoutSeconds = 120, maxRetries = 4} = options;
  const url = chatUrl(options.baseUrl ?? languageModelUrl());
  const apiKey = checkKey(options.apiKey ?? languageModelKey());
  const model = options.model ?? languageModelName();
  if (typeof model !== 'string' || model === '') {
    throw new ArgumentError(
      "language model: expected a model's name, but none is given. Name one that the server lists, in the option or " +
        'IPAI_LANGUAGE_MODEL; servers of a single model take any name.',
    );
  }
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 2))
    throw invalidArgument('temperature', 'a number from 0 to 2', temperature);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= longestTimeoutSeconds))
    throw invalidArgument(
      'timeoutSeconds',
      `a number above 0, and up to ${longestTimeoutSeconds}`,
      timeoutSeconds,
    );
  if (!Number.isInteger(maxRetries) || maxRetries < 0)
    throw invalidArgument('maxRetries', 'an integer of 0 or more', maxRetries);
  return {
    identity: JSON.stringify({url: url.origin + url.pathname, model, temperature}),
    async complete({prompt, images = [], signal}) {
      signal?.throwIfAborted();
      const messages = [{role: 'user', content: await contentOf({prompt, images})}];
      const body = JSON.stringify({model, temperature, messages});
      const ask = () => askServer({url, apiKey, timeoutSeconds, body, signal});
      return withRetries({policy: {...pauses, tries: maxRetries + 1}, giveUp, signal}, ask);
    },
  };
}

/** A server that wants to be left alone for longer is not waited for. */
const pauses = {firstWaitSeconds: 0.5, longestWaitSeconds: 8, longestRetryAfterSeconds: 120};

function giveUp({last, tries}: GivenUp): LanguageModelError {
  const count = tries === 1 ? 'once' : `${tries} times`;
  const seconds = last.retryAfterSeconds;
  const again = seconds === undefined ? 'again later' : `again in ${Math.ceil(seconds)} seconds`;
  return new LanguageModelError(
    `${last.message} Asked ${count}. Look after the server, or ask ${again}, less often or with a longer timeout.`,
    {cause: last},
  );
}

/** Text alone is sent as such: servers of models without eyes may know no parts. */
async function contentOf({prompt, images}: Required<Pick<CompletionRequest, 'prompt' | 'images'>>) {
  if (images.length === 0) return prompt;
  const urls = await Promise.all(images.map(pictureUrl));
  return [{type: 'text', text: prompt}, ...urls.map(url => ({type: 'image_url', image_url: {url}}))];
}

function chatUrl(baseUrl: string | undefined): URL {
  if (baseUrl === undefined) {
    throw new ArgumentError(
      "language model: expected its server's URL, but none is given. Give one up to and with the version, such as " +
        'http://localhost:8080/v1, in the option or OPENAI_BASE_URL.',
    );
  }
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  // Not shown: it may hold a password.
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new ArgumentError(
      'language model: expected an URL with http or https and no user or password, such as ' +
        'http://localhost:8080/v1, but received another text. A key goes into OPENAI_API_KEY.',
    );
  }
  url.pathname = `${url.pathname.replace(/\/$/, '')}/chat/completions`;
  return url;
}

/** What is no header would come back in an error's message, so that it is refused here, unseen. */
function checkKey(key: string | undefined): string | undefined {
  if (key === undefined || /^[\x21-\x7e]+$/.test(key)) return key;
  throw new ArgumentError(
    'API key: expected printable ASCII without blanks, but it holds other characters. ' +
      'Look for line ends or quotes that were copied with it.',
  );
}
