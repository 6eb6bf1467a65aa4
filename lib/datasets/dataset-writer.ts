/**
 * Writes samples as `openDataset` reads them: `manifest.jsonl` beside a folder of pictures, or tar shards.
 */
import {type FileHandle, mkdir, open, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import sharp from 'sharp';
import type {z} from 'zod';
import type {RgbImage} from '../images/image.ts';
import type {sampleFields} from './dataset-sample.ts';
import {tarEnd, tarMember} from './tar-writer.ts';

export interface WrittenSample {
  /** Of letters and digits, different for each sample. */
  readonly key: string;
  readonly fields: z.infer<typeof sampleFields>;
  readonly target: RgbImage;
  readonly condition: RgbImage;
}

export interface DatasetWriter {
  write(sample: WrittenSample): Promise<void>;
  /** To be called whatever happened. */
  close(): Promise<void>;
}

/** @param shardSize samples to a shard; without it, pictures are files */
export async function createDatasetWriter(folder: string, shardSize?: number): Promise<DatasetWriter> {
  return shardSize === undefined ? await ManifestWriter.create(folder) : new ShardWriter(folder, shardSize);
}

class ManifestWriter implements DatasetWriter {
  readonly #folder: string;
  readonly #manifest: FileHandle;

  private constructor(folder: string, manifest: FileHandle) {
    this.#folder = folder;
    this.#manifest = manifest;
  }

  static async create(folder: string): Promise<ManifestWriter> {
    await mkdir(join(folder, 'images'));
    return new ManifestWriter(folder, await open(join(folder, 'manifest.jsonl'), 'w'));
  }

  async write({key, fields, target, condition}: WrittenSample): Promise<void> {
    const paths = {
      target: `images/${key}.target.png`,
      // One picture, one file.
      condition: `images/${key}.${condition === target ? 'target' : 'condition'}.png`,
    };
    await writeFile(join(this.#folder, paths.target), await encodePng(target));
    if (condition !== target)
      await writeFile(join(this.#folder, paths.condition), await encodePng(condition));
    await this.#manifest.write(`${JSON.stringify({...paths, ...fields})}\n`);
  }

  close(): Promise<void> {
    return this.#manifest.close();
  }
}

class ShardWriter implements DatasetWriter {
  readonly #folder: string;
  readonly #shardSize: number;
  #shard: FileHandle | undefined;
  #written = 0;

  constructor(folder: string, shardSize: number) {
    this.#folder = folder;
    this.#shardSize = shardSize;
  }

  async write({key, fields, target, condition}: WrittenSample): Promise<void> {
    if (this.#written % this.#shardSize === 0) await this.#next();
    const members = [
      tarMember(`${key}.target.png`, await encodePng(target)),
      tarMember(`${key}.condition.png`, await encodePng(condition)),
      tarMember(`${key}.json`, Buffer.from(JSON.stringify(fields))),
    ];
    await this.#shard!.write(Buffer.concat(members));
    this.#written++;
  }

  async close(): Promise<void> {
    const shard = this.#shard;
    this.#shard = undefined;
    if (shard === undefined) return;
    try {
      await shard.write(tarEnd);
    } finally {
      await shard.close();
    }
  }

  async #next(): Promise<void> {
    await this.close();
    const number = `${this.#written / this.#shardSize}`.padStart(6, '0');
    this.#shard = await open(join(this.#folder, `shard-${number}.tar`), 'w');
  }
}

function encodePng({width, height, data}: RgbImage): Promise<Buffer> {
  return sharp(data, {raw: {width, height, channels: 3}})
    .png()
    .toBuffer();
}
