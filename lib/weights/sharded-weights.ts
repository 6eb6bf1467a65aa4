import {readFile} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {FileError} from '../errors.ts';
import {unreadable} from './read-file.ts';
import type {StoredTensor, WeightIndex} from './stored-tensor.ts';
import {openWeightFile} from './weight-file.ts';

/**
 * Reads a sharded model: an index (`*.safetensors.index.json` or `*.bin.index.json`) whose `weight_map` says
 * which file beside it holds which tensor.
 * @throws FileError where the index is damaged, a shard is missing, or a shard lacks a tensor that it should
 * hold.
 */
export async function openShardedWeights(indexPath: string): Promise<WeightIndex> {
  const absolute = resolve(indexPath);
  const weightMap = await readWeightMap(absolute);
  const shards = new Map<string, WeightIndex>();
  for (const shard of new Set(weightMap.values())) {
    shards.set(shard, await openWeightFile(join(dirname(absolute), shard)));
  }
  const tensors = new Map<string, StoredTensor>();
  for (const [name, shard] of weightMap) {
    const tensor = shards.get(shard)!.tensors.get(name);
    if (!tensor) {
      throw new FileError(
        `${absolute}: expected tensor '${name}' in '${shard}'; got none. Download the shard again.`,
      );
    }
    tensors.set(name, tensor);
  }
  return {path: absolute, tensors};
}

async function readWeightMap(path: string): Promise<Map<string, string>> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw unreadable(path, error);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, (cause as Error).message, {cause});
  }
  const weightMap: unknown = (json as {weight_map?: unknown} | null)?.weight_map;
  if (typeof weightMap !== 'object' || weightMap === null) throw damaged(path, "no 'weight_map'");
  const entries = Object.entries(weightMap);
  const outside = entries.find(
    ([, shard]) => typeof shard !== 'string' || basename(shard) !== shard || shard === '',
  );
  if (outside) throw damaged(path, `the shard ${JSON.stringify(outside[1])} for '${outside[0]}'`);
  return new Map(entries as [string, string][]);
}

function damaged(path: string, got: string, options?: ErrorOptions): FileError {
  return new FileError(
    `${path}: expected JSON with a 'weight_map' of tensor names to files beside it; got ${got}. ` +
      'Download it again.',
    options,
  );
}
