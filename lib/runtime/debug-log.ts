/**
 * Messages for whoever sets `IPAI_DEBUG`, on stderr.
 */
import {debugLevel} from './env.ts';

/** Writes a line when `IPAI_DEBUG` is at least `level`; the message is only made then. */
export function debugLog(level: 1 | 2, message: () => string): void {
  if (debugLevel() >= level) process.stderr.write(`[ipai] ${message()}\n`);
}

/** Bytes as `12.3 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
