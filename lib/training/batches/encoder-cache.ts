/**
 * What frozen encoders made of pictures, on disk: one safetensors file each, `ab/cdef….safetensors` by its key. Read in the
 * threads that prepare pictures.
 */
import {createHash} from 'node:crypto';
import {mkdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {readTensor} from '../../weights/read-tensor.ts';
import {readSafetensorsIndex} from '../../weights/safetensors.ts';
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

/** Tensors of an entry; undefined where there is none, or it is damaged. */
export async function readEntry(path: string): Promise<ReadonlyMap<string, HostTensor> | undefined> {
  try {
    const {tensors: stored, metadata} = await readSafetensorsIndex(path);
    const tensors = new Map<string, HostTensor>();
    for (const [name, tensor] of stored) {
      tensors.set(name, {shape: tensor.shape, data: await readTensor(tensor)});
    }
    return metadata?.['sha256'] === checksum(tensors) ? tensors : undefined;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/**
 * Writes an entry, in place of a damaged one where there is one. It appears whole or not at all.
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
  await writeSafetensors(path, stored, {sha256: checksum(tensors)});
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
