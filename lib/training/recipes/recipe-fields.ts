import {z} from 'zod';
import type {DeviceSpec} from '../../runtime/device.ts';

/** Of every run. */
export const runFields = {
  device: z
    .string()
    .transform(name => name as DeviceSpec)
    .exactOptional(),
  /** Of products and activations; trained weights are float32. */
  dtype: z.enum(['float32', 'bfloat16', 'float16']).default('bfloat16'),
};
