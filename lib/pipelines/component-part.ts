/**
 * One model's files: its configuration, and its tensors, every one accounted for.
 */
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {FileWeights} from '../engine/file-weights.ts';
import {openWeights} from '../weights/open-weights.ts';
import {reconcile} from '../weights/reconcile.ts';
import type {TensorMap} from '../weights/stored-tensor.ts';
import {readJson} from './read-json.ts';

/** A component's config as parsed JSON, and its tensors under the names that our models ask for. */
export interface Part {
  readonly config: unknown;
  readonly tensors: TensorMap;
  /** For messages. */
  readonly where: string;
}

/** @throws FileError, WeightsError where one is missing or damaged */
export async function componentPart(
  folder: string,
  rename: (tensors: TensorMap) => TensorMap,
): Promise<Part> {
  const config = await readJson(join(folder, 'config.json'));
  const {tensors, path} = await openWeights(folder);
  return {config, tensors: rename(tensors), where: path};
}

/** @throws WeightsError that lists all tensors that are missing, superfluous or of another shape */
export function weightsOf(
  label: string,
  {tensors, where}: Part,
  expected: ReadonlyMap<string, readonly number[]>,
): FileWeights {
  return new FileWeights(label, reconcile(expected, tensors, `${label} of ${where}`));
}

export async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
