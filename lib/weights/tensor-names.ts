import {WeightsError} from '../errors.ts';
import type {StoredTensor, TensorMap} from './stored-tensor.ts';

/** Gives a tensor's canonical name, or undefined where it is to be left out. */
export type Rename = (name: string) => string | undefined;

/**
 * The same tensors under other names.
 * @throws WeightsError where two tensors get the same name.
 */
export function renameTensors(tensors: TensorMap, rename: Rename): Map<string, StoredTensor> {
  const renamed = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const canonical = rename(name);
    if (canonical === undefined) continue;
    const other = renamed.get(canonical);
    if (other) {
      throw new WeightsError(
        `${tensor.file}: expected one tensor for '${canonical}'; got '${other.name}' and '${name}', its ` +
          'older and newer names. Remove one of them.',
      );
    }
    renamed.set(canonical, tensor);
  }
  return renamed;
}

/** Keeps the tensors below a prefix, under their names without it. */
export function tensorsBelow(tensors: TensorMap, prefix: string): Map<string, StoredTensor> {
  return renameTensors(tensors, name => (name.startsWith(prefix) ? name.slice(prefix.length) : undefined));
}

const MAX_LISTED = 20;

/**
 * The same tensors under other names, every one of them.
 * @param what names the model in the message, such as `a Stable Diffusion 1.5 VAE`.
 * @throws WeightsError that lists the tensors for which there is no name.
 */
export function renameKnownTensors(
  tensors: TensorMap,
  rename: Rename,
  what: string,
): Map<string, StoredTensor> {
  const unknown: string[] = [];
  const renamed = renameTensors(tensors, name => {
    const canonical = rename(name);
    if (canonical === undefined) unknown.push(name);
    return canonical;
  });
  if (unknown.length === 0) return renamed;
  const more = unknown.length > MAX_LISTED ? ` and ${unknown.length - MAX_LISTED} more` : '';
  throw new WeightsError(
    `checkpoint: expected the tensors of ${what}; got also ` +
      `${unknown.slice(0, MAX_LISTED).join(', ')}${more}. ` +
      'Give a checkpoint of Stable Diffusion 1.5.',
  );
}

/**
 * One more than the highest number that the pattern's group finds. The pattern must bound the number of
 * digits.
 */
export function countBlocks(tensors: TensorMap, pattern: RegExp): number {
  let count = 0;
  for (const name of tensors.keys()) count = Math.max(count, Number(pattern.exec(name)?.[1] ?? -1) + 1);
  return count;
}
