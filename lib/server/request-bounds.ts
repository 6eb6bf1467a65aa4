/**
 * How much a request may say: what is checked before schemas, and what they do not say.
 */
import {ArgumentError} from '../errors.ts';
import type {JobOptions} from '../jobs/job.ts';
import {promptChunks} from '../pipelines/prompt-chunks.ts';
import type {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';

const maxValues = 1000;
const maxText = 4000;
const maxNumber = 1000;
/** More than any text of that size that is not made of `BREAK`s. */
const maxChunks = 16;
/** Numbers whose bounds are the schema's. */
const bounded: readonly string[] = ['height', 'width', 'numInferenceSteps'];

/**
 * Whether JSON has so few values that checking them takes no time.
 *
 * @throws ArgumentError where it has more
 */
export function checkValueCount(json: unknown): void {
  const open = [json];
  let count = 0;
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) continue;
    const children = Object.values(value);
    count += children.length;
    if (count > maxValues) {
      throw new ArgumentError(`request: expected at most ${maxValues} values but received more.`);
    }
    open.push(...children);
  }
}

/**
 * Whether texts and numbers are of a size that means something: with others arithmetic overflows.
 *
 * @throws ArgumentError where one is not
 */
export function checkMagnitudes(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value instanceof Uint8Array || bounded.includes(name)) continue;
    if (typeof value === 'string' && value.length > maxText) {
      throw new ArgumentError(
        `${name}: expected a text of at most ${maxText} characters but received ${value.length}.`,
      );
    }
    if (typeof value === 'number' && Math.abs(value) > maxNumber) {
      throw new ArgumentError(
        `${name}: expected a number from -${maxNumber} to ${maxNumber} but received ${value}.`,
      );
    }
    if (typeof value === 'object') checkMagnitudes(value);
  }
}

/**
 * Whether weighted prompts are of a length that memory is there for.
 *
 * @throws ArgumentError where one is not, or its weights are no numbers
 */
export function checkPromptLengths(
  tokenizer: CLIPTokenizer,
  {prompt, negativePrompt = '', promptSyntax = 'plain'}: JobOptions,
): void {
  for (const [name, text] of Object.entries({prompt, negativePrompt})) {
    const {length} = promptChunks(tokenizer, text, promptSyntax).chunks;
    if (length > maxChunks) {
      throw new ArgumentError(
        `${name}: expected at most ${maxChunks} chunks of ${tokenizer.room} tokens but received ${length}. ` +
          'Shorten it, or leave out some BREAKs.',
      );
    }
  }
}

/** All pictures in a request, wherever they are. */
export function uploadsIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(uploadsIn);
}
