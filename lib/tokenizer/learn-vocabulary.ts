/**
 * Byte-pair vocabularies of one's own texts, in CLIP's form (Sennrich et al., 2016, arXiv:1508.07909, algorithm 1).
 */
import {setImmediate} from 'node:timers/promises';
import {invalidArgument} from '../errors.ts';
import {END_OF_WORD, wordSymbols} from './byte-pair-encoder.ts';
import {sortedSymbols, textToSymbols} from './byte-symbols.ts';
import {splitClipWords} from './clip-words.ts';
import {PairCounts} from './pair-counts.ts';
import {CLIP_MAX_LENGTH, CLIP_SPECIAL_TOKENS, MAX_TOKEN_ID, type TokenizerFiles} from './tokenizer-files.ts';

/** The last tokens: the end marker has the greatest id, as transformers' text models of `eos_token_id` 2 expect. */
const markers = [CLIP_SPECIAL_TOKENS.bos, CLIP_SPECIAL_TOKENS.eos];
const smallestSize = 2 * 256 + markers.length;
/** A few milliseconds of work each. */
const textsPerTurn = 256;
const mergesPerTurn = 16;

/** How large a vocabulary becomes. */
export interface VocabularyOptions {
  /** Tokens at most, special tokens included: 514 (bytes, bytes at the end of a word, two markers) or more. */
  readonly size: number;
  /** Pairs that occur less often are not merged. By default 2. */
  readonly minFrequency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Learns a vocabulary: bytes, bytes at the end of a word, what the most frequent pairs merge to, and last CLIP's two
 * markers. Words are those that `CLIPTokenizer` sees; of pairs that are equally frequent, the one of lower ids is merged
 * first. The result depends on how often each word occurs, not on the order of the texts.
 *
 * @throws ArgumentError for a size or frequency that makes no sense
 */
export async function learnVocabulary(
  texts: Iterable<string>,
  {size, minFrequency = 2, signal}: VocabularyOptions,
): Promise<TokenizerFiles> {
  checkInteger('size', size, smallestSize, MAX_TOKEN_ID + 1);
  checkInteger('minFrequency', minFrequency, 1, Number.MAX_SAFE_INTEGER);

  const pieces = [...sortedSymbols(), ...sortedSymbols().map(symbol => symbol + END_OF_WORD)];
  const idOf = new Map(pieces.map((piece, id) => [piece, id]));
  const counts = new PairCounts(
    Array.from(await countWords(texts, signal), ([word, count]) => ({
      ids: wordSymbols(textToSymbols(word)).map(symbol => idOf.get(symbol)!),
      count,
    })),
  );
  const merges: [string, string][] = [];
  while (pieces.length < size - markers.length) {
    if (merges.length % mergesPerTurn === 0) await nextTurn(signal);
    const best = counts.takeMostFrequent();
    if (best === undefined || best.count < minFrequency) break;
    const [left, right] = [pieces[best.left]!, pieces[best.right]!];
    merges.push([left, right]);
    // Always a new piece: between the same ends, equal symbols have been merged alike in every word.
    counts.merge(best, pieces.push(left + right) - 1);
  }
  return {
    vocabulary: new Map([...pieces, ...markers].map((piece, id) => [piece, id])),
    merges,
    specialTokens: CLIP_SPECIAL_TOKENS,
    modelMaxLength: CLIP_MAX_LENGTH,
  };
}

async function countWords(
  texts: Iterable<string>,
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let done = 0;
  for (const text of texts) {
    if (done++ % textsPerTurn === 0) await nextTurn(signal);
    for (const word of splitClipWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Lets the event loop turn, and ends the work where it has been aborted. */
async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

function checkInteger(name: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw invalidArgument(name, `an integer from ${low} to ${high}`, value);
}
