/**
 * Checkpoints: folders `checkpoint-STEP`, each whole or not there at all. `adapter.safetensors` is an adapter in the public
 * format, that any tool loads; `optimizer.safetensors` and `trainer.json` are what training goes on with.
 */
import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../errors.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {openWeights} from '../weights/open-weights.ts';
import {readTensor} from '../weights/read-tensor.ts';
import {writeSafetensors} from '../weights/write-safetensors.ts';

const progressFields = z.object({
  /** Steps of the run. */
  step: z.int().nonnegative(),
  /** Without those that were skipped. */
  optimizerSteps: z.int().nonnegative(),
  sampler: z.object({
    draws: z.int().nonnegative(),
    taken: z.record(z.string(), z.int().nonnegative()),
    waiting: z.array(z.object({number: z.int().nonnegative(), sample: z.int().nonnegative()})).default([]),
  }),
});

export type TrainingProgress = z.infer<typeof progressFields>;

export interface Checkpoint {
  readonly progress: TrainingProgress;
  /** Optimiser states [3, ...] by the weights' names. */
  readonly state: ReadonlyMap<string, HostTensor>;
}

const folderName = (step: number) => `checkpoint-${String(step).padStart(8, '0')}`;
const pattern = /^checkpoint-(\d{8,})$/;

/**
 * Writes a checkpoint beside its place and renames it, then removes all but the newest `keep`.
 *
 * @returns its folder
 * @throws FileError where the disk is full or the folder may not be written to
 */
export async function saveCheckpoint(
  folder: string,
  {progress, state}: Checkpoint,
  keep: number,
): Promise<string> {
  const path = join(folder, folderName(progress.step));
  const partial = `${path}.partial`;
  try {
    await rm(partial, {recursive: true, force: true});
    await mkdir(partial, {recursive: true});
    await writeSafetensors(join(partial, 'adapter.safetensors'), tensorsOf(state, weightOf));
    await writeSafetensors(
      join(partial, 'optimizer.safetensors'),
      tensorsOf(state, tensor => tensor),
    );
    await writeFile(join(partial, 'trainer.json'), `${JSON.stringify(progress, undefined, 2)}\n`, {
      flush: true,
    });
    await rename(partial, path);
  } catch (cause) {
    throw new FileError(`${path}: cannot be written: ${(cause as Error).message}. Has the disk room?`, {
      cause,
    });
  }
  // What an earlier process left half-written goes as well.
  const partials = (await readdir(folder)).filter(name => name.endsWith('.partial'));
  for (const old of [...partials, ...(await listCheckpoints(folder)).slice(0, -keep)]) {
    await rm(join(folder, old), {recursive: true, force: true});
  }
  return path;
}

/**
 * The newest checkpoint of a folder; undefined where there is none.
 *
 * @throws FileError where it is damaged
 */
export async function loadNewestCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const newest = (await listCheckpoints(folder)).at(-1);
  if (newest === undefined) return undefined;
  const path = join(folder, newest);
  const progress = await readProgress(join(path, 'trainer.json'));
  const state = new Map<string, HostTensor>();
  for (const [name, stored] of (await openWeights(join(path, 'optimizer.safetensors'))).tensors) {
    state.set(name, {shape: stored.shape, data: await readTensor(stored)});
  }
  return {progress, state};
}

async function readProgress(path: string): Promise<TrainingProgress> {
  try {
    return progressFields.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new FileError(
      `${path}: expected the progress of a training run: ${(cause as Error).message}. Remove this checkpoint to go on ` +
        'from the one before.',
      {cause},
    );
  }
}

/** Names, oldest first. */
async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(name => pattern.test(name)).sort();
}

function tensorsOf(state: ReadonlyMap<string, HostTensor>, part: (tensor: HostTensor) => HostTensor) {
  return new Map([...state].map(([name, tensor]) => [name, {...part(tensor), dtype: 'float32' as const}]));
}

/** The weight of an optimiser state. */
function weightOf({shape, data}: HostTensor): HostTensor {
  return {shape: shape.slice(1), data: data.subarray(0, data.length / 3)};
}
