import {type RankPlace, singleProcess} from '../../runtime/communicator.ts';

/** A rank's part of what all have in common: the ranks' parts in turn are the whole. Its length must be a multiple of `size`. */
export function rowsOfRank<Row>(
  rows: readonly Row[],
  {rank, size}: RankPlace = singleProcess,
): readonly Row[] {
  const count = rows.length / size;
  return rows.slice(rank * count, (rank + 1) * count);
}
