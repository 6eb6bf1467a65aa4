/**
 * Checkpoints: folders `checkpoint-STEP`, each whole or not there at all. Each is the model in the public format, that any
 * tool loads (an adapter's `adapter.safetensors`; weights and `config.json` of others), and so is its folder `ema`, with
 * averages of the weights; `optimizer.safetensors` and `trainer.json` are what training goes on with.
 */
import {mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../errors.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {openWeights} from '../weights/open-weights.ts';
import {readTensor} from '../weights/read-tensor.ts';
import {writeSafetensors} from '../weights/write-safetensors.ts';
import type {ModelFiles} from './objective.ts';
import {weightsOf} from './optimizer-state.ts';

const progressFields = z.object({
  /** Steps of the run. */
  step: z.int().nonnegative(),
  /** Without those that were skipped. */
  optimizerSteps: z.int().nonnegative(),
  /** Updates of the moving averages, where the checkpoint has them. */
  emaUpdates: z.int().nonnegative().optional(),
  /** Of float16. */
  lossScale: z.object({value: z.number().positive(), steps: z.int().nonnegative()}).optional(),
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
  /** Moving averages of the weights, by their names. */
  readonly averages?: ReadonlyMap<string, HostTensor> | undefined;
}

/** Of a checkpoint. */
const averagesFolder = 'ema';

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
  files: ModelFiles,
  {progress, state, averages}: Checkpoint,
  keep: number,
): Promise<string> {
  const path = join(folder, folderName(progress.step));
  const partial = `${path}.partial`;
  try {
    await rm(partial, {recursive: true, force: true});
    await mkdir(partial, {recursive: true});
    await writeModel(partial, files, weightsOf(state));
    await writeTensors(join(partial, 'optimizer.safetensors'), state);
    if (averages !== undefined) await writeModel(join(partial, averagesFolder), files, averages);
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
export async function loadNewestCheckpoint(
  folder: string,
  {weights, frozen}: Pick<ModelFiles, 'weights' | 'frozen'>,
): Promise<Checkpoint | undefined> {
  const newest = (await listCheckpoints(folder)).at(-1);
  if (newest === undefined) return undefined;
  const path = join(folder, newest);
  const progress = await readProgress(join(path, 'trainer.json'));
  const state = await readTensors(join(path, 'optimizer.safetensors'));
  if (progress.emaUpdates === undefined) return {progress, state};
  const averages = await readTensors(join(path, averagesFolder, weights));
  for (const name of frozen?.keys() ?? []) averages.delete(name);
  return {progress, state, averages};
}

async function readTensors(path: string): Promise<Map<string, HostTensor>> {
  const tensors = new Map<string, HostTensor>();
  for (const [name, stored] of (await openWeights(path)).tensors) {
    tensors.set(name, {shape: stored.shape, data: await readTensor(stored)});
  }
  return tensors;
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

/** A model's files, in a folder that may be there. */
async function writeModel(
  folder: string,
  {weights: name, frozen = new Map(), companions}: ModelFiles,
  weights: ReadonlyMap<string, HostTensor>,
): Promise<void> {
  await mkdir(folder, {recursive: true});
  for (const [file, text] of companions) await writeFile(join(folder, file), text, {flush: true});
  await writeTensors(join(folder, name), new Map([...weights, ...frozen]));
}

/** The step at which a checkpoint was taken, by its folder's name; undefined for other folders. */
export function checkpointStep(name: string): number | undefined {
  const step = pattern.exec(name)?.[1];
  return step === undefined ? undefined : Number(step);
}

/** Names of the checkpoints in a run's folder, oldest first; none where there is no such folder. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter(name => pattern.test(name)).sort();
}

function writeTensors(path: string, tensors: ReadonlyMap<string, HostTensor>): Promise<void> {
  return writeSafetensors(
    path,
    new Map([...tensors].map(([name, tensor]) => [name, {...tensor, dtype: 'float32' as const}])),
  );
}
