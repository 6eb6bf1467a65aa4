/**
 * The options that say which language model is asked, and how often: shared by all commands that ask one.
 */
import type {Command} from '@commander-js/extra-typings';
import {cached} from '../../language/cached.ts';
import type {LanguageModel} from '../../language/language-model.ts';
import {openAiCompatible} from '../../language/open-ai-compatible.ts';
import {rateLimited} from '../../language/rate-limited.ts';
import {languageModelName} from '../../runtime/env.ts';
import {defined, parseNumber} from './parse-values.ts';

export interface LanguageModelFlags {
  readonly languageModel?: string | undefined;
  readonly languageUrl?: string | undefined;
  readonly languageCache?: string | undefined;
  readonly languageRequestsPerMinute?: number | undefined;
  readonly languageConcurrency: number;
}

/** Adds the options of {@link LanguageModelFlags} to a command. A key has none: other users see command lines. */
export function addLanguageModelOptions<Args extends unknown[], Flags extends Record<string, unknown>>(
  command: Command<Args, Flags>,
) {
  return command
    .option('--language-model <name>', "language model, by its server's name (default: $IPAI_LANGUAGE_MODEL)")
    .option(
      '--language-url <url>',
      'its server, OpenAI-compatible, up to /v1 (default: $OPENAI_BASE_URL); its key: $OPENAI_API_KEY',
    )
    .option('--language-cache <folder>', 'keep its answers here, and ask nothing twice')
    .option('--language-requests-per-minute <n>', 'at most (default: no limit)', parseNumber)
    .option('--language-concurrency <n>', 'requests at a time', parseNumber, 4);
}

/** Whether the options or the environment name a model. */
export function namesLanguageModel({languageModel, languageUrl}: LanguageModelFlags): boolean {
  return (languageModel ?? languageUrl ?? languageModelName()) !== undefined;
}

/** @throws ArgumentError where model or server are missing, or an option makes no sense */
export function openLanguageModel(flags: LanguageModelFlags): LanguageModel {
  const {languageModel, languageUrl, languageCache, languageRequestsPerMinute, languageConcurrency} = flags;
  const server = openAiCompatible(defined({model: languageModel, baseUrl: languageUrl}));
  const limits = {perMinute: languageRequestsPerMinute, concurrency: languageConcurrency};
  const model = rateLimited(server, defined(limits));
  return languageCache === undefined ? model : cached(model, languageCache);
}
