/** A possible merge of the symbol at `position` with its right neighbour. */
export interface Candidate {
  readonly rank: number;
  readonly position: number;
  readonly mergedId: number;
}

/** A binary heap of merge candidates: lowest rank first, then leftmost. */
export class RankQueue {
  private readonly heap: Candidate[] = [];

  push(candidate: Candidate): void {
    const {heap} = this;
    let hole = heap.push(candidate) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!precedes(candidate, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = candidate;
  }

  pop(): Candidate | undefined {
    const {heap} = this;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length > 0) this.sink(last!);
    return first;
  }

  /** Places `candidate` in the hole at the root. */
  private sink(candidate: Candidate): void {
    const {heap} = this;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!precedes(heap[child]!, candidate)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = candidate;
  }
}

function precedes(a: Candidate, b: Candidate): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.position < b.position);
}
