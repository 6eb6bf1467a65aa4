import {PriorityQueue} from './priority-queue.ts';

/** What CLIP's vocabulary appends to the last piece of a word. */
export const END_OF_WORD = '</w>';

interface Merge {
  readonly rank: number;
  readonly id: number;
}

/** A possible merge of the symbol at `position` with its right neighbour. */
interface Candidate {
  readonly rank: number;
  readonly position: number;
  readonly mergedId: number;
}

/**
 * Byte-pair encoding of single words (Sennrich et al., 2016, arXiv:1508.07909), with the end-of-word suffix
 * of CLIP's vocabulary. Among the pairs that can be merged, the one of lowest rank goes first, the leftmost
 * of equals.
 */
export class BytePairEncoder {
  private readonly mergesByPair = new Map<number, Merge>();
  private readonly vocabulary: ReadonlyMap<string, number>;
  private readonly unknownId: number;

  /**
   * @param vocabulary piece to token id; ids are below 2^24, which the caller has checked.
   * @param merges pairs of pieces, best first; both pieces and their concatenation are in the vocabulary.
   * @param unknownId the token id of a symbol that the vocabulary lacks.
   */
  constructor(
    vocabulary: ReadonlyMap<string, number>,
    merges: readonly (readonly [string, string])[],
    unknownId: number,
  ) {
    this.vocabulary = vocabulary;
    this.unknownId = unknownId;
    merges.forEach(([left, right], rank) => {
      const pair = pairKey(vocabulary.get(left)!, vocabulary.get(right)!);
      this.mergesByPair.set(pair, {rank, id: vocabulary.get(left + right)!});
    });
  }

  /** Token ids of one word, given as printable stand-ins of its bytes. O(n log n) in the word's length. */
  encodeWord(word: string): number[] {
    const ids = wordSymbols(word).map(symbol => this.symbolId(symbol));
    const previous = ids.map((_, i) => i - 1);
    const next = ids.map((_, i) => (i + 1 < ids.length ? i + 1 : -1));
    const queue = new PriorityQueue<Candidate>(precedes);

    const offer = (position: number): void => {
      if (position < 0 || next[position]! < 0) return;
      const merge = this.mergeOf(ids[position]!, ids[next[position]!]!);
      if (merge) queue.push({rank: merge.rank, position, mergedId: merge.id});
    };
    for (let i = 0; i < ids.length; i++) offer(i);

    for (let best = queue.pop(); best; best = queue.pop()) {
      const {position, mergedId} = best;
      const right = next[position]!;
      // An earlier merge may have consumed either symbol since this pair was queued.
      if (right < 0 || ids[position]! < 0 || this.mergeOf(ids[position]!, ids[right]!)?.id !== mergedId) {
        continue;
      }
      ids[position] = mergedId;
      ids[right] = -1;
      next[position] = next[right]!;
      if (next[position]! >= 0) previous[next[position]!] = position;
      offer(previous[position]!);
      offer(position);
    }
    return ids.filter(id => id >= 0);
  }

  private symbolId(symbol: string): number {
    return this.vocabulary.get(symbol) ?? this.unknownId;
  }

  private mergeOf(left: number, right: number): Merge | undefined {
    return this.mergesByPair.get(pairKey(left, right));
  }
}

/** The symbols that a word is merged from; the last carries the end of the word. */
export function wordSymbols(word: string): string[] {
  const symbols = Array.from(word);
  return symbols.map((symbol, i) => (i === symbols.length - 1 ? symbol + END_OF_WORD : symbol));
}

function precedes(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.position < b.position);
}

/** One number for an ordered pair of ids below 2^24; less where the left id is less, or, of equals, the right. */
export function pairKey(left: number, right: number): number {
  return left * 2 ** 24 + right;
}
