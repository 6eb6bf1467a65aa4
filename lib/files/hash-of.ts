import {createHash} from 'node:crypto';

/** SHA-256 of a plain value as JSON. */
export function hashOf(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return createHash('sha256').update(JSON.stringify(value, replacer)).digest('hex');
}

/** SHA-256 of bytes. */
export function hashOfBytes(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
