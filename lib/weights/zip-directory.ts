/**
 * The directory of a zip archive (PKWARE's APPNOTE.TXT 6.3, sections 4.3.12 to 4.3.16), zip64 included, which
 * torch always writes. Libraries read entries through streams, which we do not need, and the one that is most
 * used throws out of its callbacks on hostile offsets, which ends the process.
 */

/** The archive is damaged. The message continues a sentence: "expected ...; ". */
export class ZipError extends Error {}

/** Where the directory lies, as the end of the file says; not yet checked against the file's size. */
export interface DirectoryPlace {
  readonly entryCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isEncrypted: boolean;
  readonly isCompressed: boolean;
  /** Where its local header lies; not yet checked against the file's size. */
  readonly headerOffset: number;
  readonly byteLength: number;
}

const END = {signature: 0x06054b50, bytes: 22};
const ZIP64_LOCATOR = {signature: 0x07064b50, bytes: 20};
const ZIP64_END = {signature: 0x06064b50, bytes: 56};
const ENTRY = {signature: 0x02014b50, bytes: 46};

/** In a 32-bit field: the value is in the zip64 extra field. */
const IN_ZIP64 = 0xffffffff;
const ZIP64_EXTRA_ID = 1;

/** Reads the end records from the last bytes of the file. */
export function findDirectory(tail: Buffer): DirectoryPlace {
  const end = findEnd(tail);
  const locator = end - ZIP64_LOCATOR.bytes;
  // The record that the locator points at lies right before it, as both are written at once.
  const zip64 = locator - ZIP64_END.bytes;
  if (zip64 >= 0 && tail.readUInt32LE(locator) === ZIP64_LOCATOR.signature) {
    if (tail.readUInt32LE(zip64) !== ZIP64_END.signature) {
      throw new ZipError('its zip64 end record is missing');
    }
    return {
      entryCount: readUint64(tail, zip64 + 32),
      byteLength: readUint64(tail, zip64 + 40),
      byteOffset: readUint64(tail, zip64 + 48),
    };
  }
  return {
    entryCount: tail.readUInt16LE(end + 10),
    byteLength: tail.readUInt32LE(end + 12),
    byteOffset: tail.readUInt32LE(end + 16),
  };
}

function findEnd(tail: Buffer): number {
  for (let at = tail.length - END.bytes; at >= 0; at--) {
    const commentLength = tail.readUInt16LE(at + 20);
    const isEnd = tail.readUInt32LE(at) === END.signature && at + END.bytes + commentLength === tail.length;
    if (isEnd) return at;
  }
  throw new ZipError('its end record is missing');
}

/** Reads the entries of a directory. */
export function parseDirectory(directory: Buffer, entryCount: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < entryCount; i++) {
    if (at + ENTRY.bytes > directory.length || directory.readUInt32LE(at) !== ENTRY.signature) {
      throw new ZipError(`its directory has ${i} entries instead of ${entryCount}`);
    }
    const nameEnd = at + ENTRY.bytes + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const next = extraEnd + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw new ZipError(`its directory is cut off in entry ${i}`);
    const name = directory.toString('utf8', at + ENTRY.bytes, nameEnd);
    entries.push(parseEntry(name, directory.subarray(at, nameEnd), directory.subarray(nameEnd, extraEnd)));
    at = next;
  }
  return entries;
}

function parseEntry(name: string, record: Buffer, extra: Buffer): DirectoryEntry {
  // The extra field has, in this order, those values whose own fields are full.
  const large = zip64Values(name, extra);
  const value = (field: number): number => {
    const small = record.readUInt32LE(field);
    if (small !== IN_ZIP64) return small;
    const next = large.shift();
    if (next === undefined) throw new ZipError(`its entry '${name}' lacks a size`);
    return next;
  };
  const uncompressed = value(24);
  const compressed = value(20);
  const isEncrypted = (record.readUInt16LE(8) & 1) !== 0;
  const isCompressed = record.readUInt16LE(10) !== 0;
  if (!isEncrypted && !isCompressed && compressed !== uncompressed) {
    throw new ZipError(`its entry '${name}' has two sizes, ${compressed} and ${uncompressed}`);
  }
  return {name, isEncrypted, isCompressed, headerOffset: value(42), byteLength: uncompressed};
}

function zip64Values(name: string, extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    const start = at + 4;
    if (start + length > extra.length) throw new ZipError(`its entry '${name}' has a damaged extra field`);
    if (extra.readUInt16LE(at) === ZIP64_EXTRA_ID) {
      return Array.from({length: Math.floor(length / 8)}, (_, i) => readUint64(extra, start + 8 * i));
    }
    at = start + length;
  }
  return [];
}

/**
 * Values above 2^53 are rounded; no file is that long, so that they fail the checks against its size all the
 * same.
 */
function readUint64(buffer: Buffer, at: number): number {
  return Number(buffer.readBigUInt64LE(at));
}
