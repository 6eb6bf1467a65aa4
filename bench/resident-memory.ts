import {readFileSync} from 'node:fs';

/**
 * Resident memory of this process in bytes, as Linux counts it.
 *
 * @param line `VmRSS`: now; `VmHWM`: at most so far
 */
export function residentBytes(line: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  const kibibytes = status.match(new RegExp(`^${line}:\\s*(\\d+) kB$`, 'm'))?.[1];
  if (kibibytes === undefined) throw new Error(`/proc/self/status: expected a line ${line}, got none.`);
  return 1024 * Number(kibibytes);
}
