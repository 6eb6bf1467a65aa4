import type {FileHandle} from 'node:fs/promises';
import {FileError} from '../errors.ts';
import {readBytes, withFile} from './read-file.ts';
import {
  type DirectoryEntry,
  type DirectoryPlace,
  findDirectory,
  parseDirectory,
  ZipError,
} from './zip-directory.ts';

/** A byte range of a file. */
export interface ByteRange {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Far above what a checkpoint with optimiser state has; bounds on what a hostile file can make us do. */
const MAX_ENTRIES = 20_000;
const MAX_DIRECTORY_BYTES = 16 * 2 ** 20;

/** The end record, the longest comment behind it, and zip64's records before it. */
const MAX_TAIL_BYTES = 22 + 0xffff + 20 + 56;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_SIGNATURE = 0x04034b50;

/**
 * Finds the entries of the zip archive that `torch.save` writes. It stores them uncompressed, so that each is
 * a plain byte range of the file. Only the directory is read, never an entry.
 * @throws FileError where the archive is damaged, or an entry is compressed or encrypted.
 */
export function readStoredEntries(path: string): Promise<Map<string, ByteRange>> {
  return withFile(path, async (file, fileSize) => {
    try {
      const place = await locateDirectory(file, path, fileSize);
      const directory = await readBytes(file, path, place.byteOffset, place.byteLength);
      const ranges = new Map<string, ByteRange>();
      for (const entry of parseDirectory(directory, place.entryCount)) {
        if (ranges.has(entry.name)) throw new ZipError(`its entry '${entry.name}' is there twice`);
        ranges.set(entry.name, await storedRange(file, path, fileSize, entry));
      }
      return ranges;
    } catch (cause) {
      if (!(cause instanceof ZipError)) throw cause;
      throw new FileError(
        `${path}: expected a torch weight file (a zip archive); ${cause.message}. ` +
          'The file is truncated or damaged: download it again.',
        {cause},
      );
    }
  });
}

async function locateDirectory(file: FileHandle, path: string, fileSize: number): Promise<DirectoryPlace> {
  const tailLength = Math.min(fileSize, MAX_TAIL_BYTES);
  const place = findDirectory(await readBytes(file, path, fileSize - tailLength, tailLength));
  const {byteOffset, byteLength, entryCount} = place;
  if (entryCount > MAX_ENTRIES || byteLength > MAX_DIRECTORY_BYTES) {
    throw new FileError(
      `${path}: expected at most ${MAX_ENTRIES} zip entries in ${MAX_DIRECTORY_BYTES} bytes; got ` +
        `${entryCount} in ${byteLength}. This is no torch weight file.`,
    );
  }
  if (byteOffset + byteLength > fileSize) throw new ZipError('its directory lies beyond the end of the file');
  return place;
}

/**
 * The data of an entry begin behind its local header, whose variable fields may be longer than the
 * directory's.
 */
async function storedRange(
  file: FileHandle,
  path: string,
  fileSize: number,
  entry: DirectoryEntry,
): Promise<ByteRange> {
  const {name, headerOffset, byteLength} = entry;
  if (entry.isEncrypted || entry.isCompressed) {
    throw new FileError(
      `${path}: expected zip entries stored as they are, which is how torch.save writes them; '${name}' is ` +
        `${entry.isEncrypted ? 'encrypted' : 'compressed'}. ` +
        'Unpack it and save the weights again with torch.save or as .safetensors.',
    );
  }
  const outside = new ZipError(`its entry '${name}' lies beyond the end of the file`);
  if (headerOffset + LOCAL_HEADER_BYTES > fileSize) throw outside;
  const header = await readBytes(file, path, headerOffset, LOCAL_HEADER_BYTES);
  if (header.readUInt32LE(0) !== LOCAL_HEADER_SIGNATURE) {
    throw new ZipError(`its entry '${name}' has no header`);
  }
  const byteOffset = headerOffset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (byteOffset + byteLength > fileSize) throw outside;
  return {byteOffset, byteLength};
}
