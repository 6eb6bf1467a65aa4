import {crc32} from 'node:zlib';
import {ArgumentError} from '../errors.ts';

export interface StoredEntry {
  readonly name: string;
  readonly data: Uint8Array;
}

/** What 32-bit fields can say; archives beyond need zip64. */
const MAX_BYTES = 0xffff_ffff;
const VERSION = 20;

/**
 * A zip archive of uncompressed entries, as parts that follow each other in the file (PKWARE, APPNOTE.TXT 6.3.10, §4.3).
 * @throws ArgumentError where it would be 4 GiB or more.
 */
export function zipParts(entries: readonly StoredEntry[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const common = commonFields(entry);
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([uint32(0x04034b50), common, name]);
    directory.push(
      Buffer.concat([uint32(0x02014b50), uint16(VERSION), common, Buffer.alloc(10), uint32(offset), name]),
    );
    parts.push(local, entry.data);
    offset += local.length + entry.data.length;
    if (offset > MAX_BYTES) {
      throw new ArgumentError(
        `zip archive: expected less than 4 GiB; got ${offset} bytes at '${entry.name}'.`,
      );
    }
  }
  const central = Buffer.concat(directory);
  const counts = [uint16(0), uint16(0), uint16(entries.length), uint16(entries.length)];
  const end = Buffer.concat([
    uint32(0x06054b50),
    ...counts,
    uint32(central.length),
    uint32(offset),
    uint16(0),
  ]);
  return [...parts, central, end];
}

/** From "version needed" to the length of the extra field: what local and central headers have in common. */
function commonFields({name, data}: StoredEntry): Buffer {
  const [flags, method, time, date] = [0, 0, 0, 0x21];
  return Buffer.concat([
    ...[VERSION, flags, method, time, date].map(uint16),
    ...[crc32(data), data.length, data.length].map(uint32),
    ...[Buffer.byteLength(name), 0].map(uint16),
  ]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
