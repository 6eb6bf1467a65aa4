/**
 * What frozen encoders made of pictures, on disk: one safetensors file each, `ab/cdef….safetensors` by its key. Read in the
 * threads that prepare pictures.
 */
import {createHash, randomUUID} from 'node:crypto';
import {mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {readRangeSync} from '../../weights/read-file.ts';
import {parseSafetensors} from '../../weights/safetensors.ts';
import {writeSafetensors} from '../../weights/write-safetensors.ts';

/** Raised where pictures become other pixels, or entries hold something else. */
const version = 1;

/** Where the entries of one encoder are. */
export interface EncoderCache {
  readonly folder: string;
  /** All that entries depend on besides the picture's bytes: weights, configuration, dtype, sizes. */
  readonly settings: string;
}

export interface EncoderCaches {
  readonly target: EncoderCache;
  readonly condition: EncoderCache;
}

/**
 * The file of an entry. Its key is a hash of the picture's bytes, which are read in any case: unlike names and times, they
 * cannot be those of another picture, and equal pictures share an entry.
 */
export function entryPath({folder, settings}: EncoderCache, picture: Uint8Array): string {
  const key = createHash('sha256').update(`${version}\n${settings}\n`).update(picture).digest('hex');
  return join(folder, key.slice(0, 2), `${key.slice(2)}.safetensors`);
}

/** Tensors of an entry; undefined where there is none, or it is damaged. The caller's thread waits for the disk. */
export function readEntry(path: string): ReadonlyMap<string, HostTensor> | undefined {
  try {
    const bytes = readRangeSync(path, length => ({position: 0, length}));
    const {tensors, metadata} = parseSafetensors(path, bytes);
    return metadata?.['sha256'] === checksum(tensors) ? tensors : undefined;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/**
 * Writes an entry, in place of a damaged one where there is one. It appears whole or not at all, whoever else writes it: a
 * batch may have a picture twice, and a look at the validation set be under way with the next batch.
 *
 * @throws FileError where the disk is full or the folder may not be written to
 */
export async function writeEntry(path: string, tensors: ReadonlyMap<string, HostTensor>): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, {recursive: true}).catch((cause: Error) => {
    throw new FileError(`${folder}: cannot be made: ${cause.message}. Give another cacheFolder.`, {cause});
  });
  const stored = new Map(
    [...tensors].map(([name, tensor]) => [name, {...tensor, dtype: 'float32' as const}]),
  );
  // What a power failure leaves of it is told by the checksum, and made again.
  const options = {flushes: false, writer: randomUUID()};
  await writeSafetensors(path, stored, {sha256: checksum(tensors)}, options);
}

/** Of names, shapes and data, whatever the order. */
function checksum(tensors: ReadonlyMap<string, HostTensor>): string {
  const hash = createHash('sha256');
  for (const name of [...tensors.keys()].sort()) {
    const {shape, data} = tensors.get(name)!;
    hash.update(`${name} ${shape.join()}\n`).update(data);
  }
  return hash.digest('hex');
}
