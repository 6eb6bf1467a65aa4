/**
 * What activations and packed weights are stored in; arithmetic is float32 in all.
 */
import {invalidArgument} from '../errors.ts';
import type {Device} from '../runtime/device.ts';

/** Of activations and prepared weights; `float16` on CUDA alone. */
export type ComputeDType = 'float32' | 'bfloat16' | 'float16';

const dtypesOf: Readonly<Record<Device['kind'], readonly ComputeDType[]>> = {
  cpu: ['float32', 'bfloat16'],
  cuda: ['float32', 'bfloat16', 'float16'],
};

/**
 * The dtype that was asked for, or the device's default: float32 on the processor; bfloat16 on CUDA, which all devices
 * that are supported multiply as fast as float16, and which no activation overflows.
 *
 * @throws ArgumentError for one that the device has no kernels for
 */
export function computeDType(dtype: ComputeDType | undefined, {kind, name}: Device): ComputeDType {
  if (dtype === undefined) return kind === 'cuda' ? 'bfloat16' : 'float32';
  const dtypes = dtypesOf[kind];
  if (dtypes.includes(dtype)) return dtype;
  throw invalidArgument('dtype', `${dtypes.join(' or ')} on ${name}`, dtype);
}
