/**
 * Profiles as a table: time by op, with the rates that the ops reached.
 */
import type {ProfileRow} from '../engine/profile.ts';
import {table} from './table.ts';

/** One line per function and op, the slowest first. */
export function profileTable(rows: readonly ProfileRow[]): string {
  const groups = new Map<string, {calls: number; us: number; flops: number; bytes: number}>();
  for (const row of rows) {
    const key = `${row.function}\t${row.op}`;
    const group = groups.get(key) ?? {calls: 0, us: 0, flops: 0, bytes: 0};
    group.calls += 1;
    group.us += row.endUs - row.startUs;
    group.flops += row.flops;
    group.bytes += row.bytes;
    groups.set(key, group);
  }
  const total = [...groups.values()].reduce((sum, group) => sum + group.us, 0);
  const lines = [...groups]
    .sort(([, a], [, b]) => b.us - a.us)
    .map(([key, {calls, us, flops, bytes}]) => [
      ...key.split('\t'),
      String(calls),
      (us / 1000).toFixed(1),
      `${((100 * us) / total).toFixed(1)} %`,
      (flops / us / 1000).toFixed(1),
      (bytes / us / 1000).toFixed(1),
    ]);
  return table(['function', 'op', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'], lines);
}
