import {type Entry, openPromise, type ZipFile} from 'yauzl';
import {FileError} from '../errors.ts';
import {unreadable} from './read-file.ts';

/** A byte range of a file. */
export interface ByteRange {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Far above what a checkpoint with optimiser state has; a bound on what a hostile file can make us do. */
const MAX_ENTRIES = 20_000;

/**
 * Finds the entries of the zip archive that `torch.save` writes. It stores them uncompressed, so that each is a plain
 * byte range of the file.
 * @throws FileError where the archive is damaged, or an entry is compressed or encrypted.
 */
export async function readStoredEntries(path: string): Promise<Map<string, ByteRange>> {
  const zip = await openZip(path);
  try {
    if (zip.entryCount > MAX_ENTRIES) {
      throw new FileError(
        `${path}: expected at most ${MAX_ENTRIES} zip entries; got ${zip.entryCount}. This is no torch weight file.`,
      );
    }
    const ranges = new Map<string, ByteRange>();
    for await (const entry of zip.eachEntry()) {
      if (ranges.has(entry.fileName)) throw damaged(path, `its zip entry '${entry.fileName}' is there twice`);
      ranges.set(entry.fileName, await storedRange(path, zip, entry));
    }
    return ranges;
  } catch (error) {
    throw error instanceof FileError ? error : damaged(path, (error as Error).message, {cause: error});
  } finally {
    zip.close();
  }
}

async function openZip(path: string): Promise<ZipFile> {
  try {
    return await openPromise(path, {lazyEntries: true, autoClose: false});
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw unreadable(path, error);
    throw damaged(path, (error as Error).message, {cause: error});
  }
}

async function storedRange(path: string, zip: ZipFile, entry: Entry): Promise<ByteRange> {
  if (entry.isEncrypted() || entry.compressionMethod !== 0) {
    const state = entry.isEncrypted() ? 'encrypted' : 'compressed';
    throw new FileError(
      `${path}: expected zip entries stored as they are, which is how torch.save writes them; '${entry.fileName}' is ` +
        `${state}. Unpack it and save the weights again with torch.save or as .safetensors.`,
    );
  }
  const {fileDataStart} = await zip.readLocalFileHeaderPromise(entry, {minimal: true});
  return {byteOffset: fileDataStart, byteLength: entry.uncompressedSize};
}

function damaged(path: string, fault: string, options?: ErrorOptions): FileError {
  return new FileError(
    `${path}: expected a torch weight file (a zip archive); ${fault}. The file is truncated or damaged: download it again.`,
    options,
  );
}
