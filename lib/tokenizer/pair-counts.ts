import {pairKey} from './byte-pair-encoder.ts';
import {PriorityQueue} from './priority-queue.ts';

/** A distinct word as the ids that it is merged to so far, and how often it occurs. */
export interface CountedWord {
  ids: readonly number[];
  readonly count: number;
}

export interface CountedPair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** How the counts of pairs change, by `pairKey`. */
type PairChanges = Map<number, CountedPair>;

/** How often neighbours occur in words, kept up to date while they are merged. */
export class PairCounts {
  readonly #counts = new Map<number, number>();
  /** For each pair at least the words that have it. */
  readonly #words = new Map<number, Set<CountedWord>>();
  /** Has each pair with its count, and with counts that it had before. */
  readonly #queue = new PriorityQueue<CountedPair>(precedes);

  /** @param words whose ids {@link merge} will replace */
  constructor(words: readonly CountedWord[]) {
    const changes: PairChanges = new Map();
    for (const word of words) this.#tally(word, [...word.ids.keys()], 1, word.count, changes);
    this.#apply(changes);
  }

  /** Takes out the pair that occurs most often; of equals, the one of lower ids. To be merged next. */
  takeMostFrequent(): CountedPair | undefined {
    for (let pair = this.#queue.pop(); pair; pair = this.#queue.pop()) {
      if (this.#counts.get(pairKey(pair.left, pair.right)) === pair.count) return pair;
    }
    return undefined;
  }

  /** Puts `mergedId` in the place of a pair wherever it occurs, from the left in each word. */
  merge(pair: CountedPair, mergedId: number): void {
    const key = pairKey(pair.left, pair.right);
    const words = this.#words.get(key) ?? [];
    const changes: PairChanges = new Map();
    for (const word of words) {
      const starts = occurrences(word.ids, pair);
      this.#tally(word, starts, 2, -word.count, changes);
      word.ids = replacePairs(word.ids, starts, mergedId);
      // Each pair before has become one id.
      this.#tally(
        word,
        starts.map((start, i) => start - i),
        1,
        word.count,
        changes,
      );
    }
    this.#words.delete(key);
    this.#apply(changes);
  }

  /** Adds `amount` for each pair in which an id of a run takes part; runs are `length` ids from each of `starts`. */
  #tally(
    word: CountedWord,
    starts: readonly number[],
    length: number,
    amount: number,
    changes: PairChanges,
  ): void {
    const {ids} = word;
    let next = 0;
    for (const start of starts) {
      const end = Math.min(start + length, ids.length - 1);
      for (let i = Math.max(start - 1, next); i < end; i++) {
        const [left, right] = [ids[i]!, ids[i + 1]!];
        const key = pairKey(left, right);
        changes.set(key, {left, right, count: (changes.get(key)?.count ?? 0) + amount});
        const words = this.#words.get(key);
        if (words === undefined) this.#words.set(key, new Set([word]));
        else words.add(word);
      }
      next = start + length;
    }
  }

  #apply(changes: PairChanges): void {
    for (const [key, {left, right, count: change}] of changes) {
      if (change === 0) continue;
      const count = (this.#counts.get(key) ?? 0) + change;
      this.#counts.set(key, count);
      if (count > 0) this.#queue.push({left, right, count});
    }
  }
}

function precedes(a: CountedPair, b: CountedPair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return pairKey(a.left, a.right) < pairKey(b.left, b.right);
}

/** Where the pair begins, from the left and without overlaps. */
function occurrences(ids: readonly number[], {left, right}: CountedPair): number[] {
  const starts: number[] = [];
  for (let i = 0; i + 1 < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) starts.push(i++);
  }
  return starts;
}

function replacePairs(ids: readonly number[], starts: readonly number[], mergedId: number): number[] {
  const replaced: number[] = [];
  let begin = 0;
  for (const start of starts) {
    for (let i = begin; i < start; i++) replaced.push(ids[i]!);
    replaced.push(mergedId);
    begin = start + 2;
  }
  for (let i = begin; i < ids.length; i++) replaced.push(ids[i]!);
  return replaced;
}
