/** What activations are stored in; arithmetic is float32 in both. */
export type ComputeDType = 'float32' | 'bfloat16';
