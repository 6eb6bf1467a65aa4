/**
 * Profiles in the Trace Event format, which chrome://tracing and Perfetto open.
 */
import type {ProfileRow} from '../engine/profile.ts';

/** A JSON document: complete events (`ph: "X"`) in microseconds, one row of events per compiled function. */
export function chromeTrace(rows: readonly ProfileRow[]): string {
  const functions = [...new Set(rows.map(row => row.function))];
  const names = functions.map((name, thread) => ({
    ph: 'M',
    name: 'thread_name',
    pid: 1,
    tid: thread,
    args: {name},
  }));
  const events = rows.map(row => ({
    ph: 'X',
    name: row.op,
    cat: row.function,
    pid: 1,
    tid: functions.indexOf(row.function),
    ts: row.startUs,
    dur: row.endUs - row.startUs,
    args: {scope: row.scope, shape: row.shape.join('x'), flops: row.flops, bytes: row.bytes},
  }));
  return JSON.stringify({displayTimeUnit: 'ms', traceEvents: [...names, ...events]});
}
