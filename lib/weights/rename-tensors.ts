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
        `${tensor.file}: expected one tensor for '${canonical}'; got '${other.name}' and '${name}', its older and newer ` +
          'names. Remove one of them.',
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
