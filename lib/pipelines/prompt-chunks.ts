/**
 * Prompts as the text encoder reads them: in chunks of its length, with weights of tokens.
 */
import {ArgumentError, describeValue} from '../errors.ts';
import type {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {parseWeightedPrompt, type WeightedText} from '../tokenizer/weighted-prompt.ts';

export const promptSyntaxes = ['plain', 'weighted'] as const;
/** How prompts are written: literally, or with weights, as in AUTOMATIC1111's web UI, and in any length. */
export type PromptSyntax = (typeof promptSyntaxes)[number];

export interface PromptChunks {
  /** Token ids of each chunk, [modelMaxLength]; at least one. */
  readonly chunks: readonly Int32Array[];
  /** Of all tokens of all chunks, markers and padding (which weigh 1) included: [chunks · modelMaxLength]. */
  readonly weights: readonly number[];
}

export function checkPromptSyntax(value: unknown): PromptSyntax {
  if (promptSyntaxes.includes(value as PromptSyntax)) return value as PromptSyntax;
  throw new ArgumentError(
    `promptSyntax: expected one of ${promptSyntaxes.join(', ')} but received ${describeValue(value)}.`,
  );
}

/**
 * A plain prompt is one chunk, which may lack its end. A weighted one has as many as it takes, each section on its own.
 *
 * @throws ArgumentError for weights that are no numbers any more
 */
export function promptChunks(tokenizer: CLIPTokenizer, prompt: string, syntax: PromptSyntax): PromptChunks {
  const ones = (count: number) => new Array<number>(count).fill(1);
  if (syntax === 'plain') {
    return {chunks: [tokenizer.encode(prompt).inputIds], weights: ones(tokenizer.modelMaxLength)};
  }
  const {room} = tokenizer;
  const chunks: Int32Array[] = [];
  const weights: number[] = [];
  const sections = parseWeightedPrompt(prompt);
  for (const [index, section] of sections.entries()) {
    const tokens = weightedTokens(tokenizer, section);
    // A BREAK at the end begins nothing.
    if (tokens.length === 0 && index > 0 && index === sections.length - 1) break;
    for (let start = 0; start === 0 || start < tokens.length; start += room) {
      const own = tokens.slice(start, start + room);
      chunks.push(tokenizer.frame(own.map(({id}) => id)));
      weights.push(1, ...own.map(({weight}) => weight), ...ones(1 + room - own.length));
    }
  }
  return {chunks, weights};
}

/** A prompt without its syntax: what an adapter reads of it. */
export function promptWords(prompt: string, syntax: PromptSyntax): string {
  if (syntax === 'plain') return prompt;
  return parseWeightedPrompt(prompt)
    .map(section => section.map(({text}) => text).join(''))
    .join(' ');
}

/** Parts of different weights are tokenized by themselves. */
function weightedTokens(tokenizer: CLIPTokenizer, parts: readonly WeightedText[]) {
  return parts.flatMap(({text, weight}) => {
    if (!Number.isFinite(weight)) {
      throw new ArgumentError(
        `prompt: expected finite weights but received ${weight} for ${describeValue(text)}. ` +
          'Write a smaller one, or fewer brackets.',
      );
    }
    return tokenizer.tokenIds(text).map(id => ({id, weight}));
  });
}
