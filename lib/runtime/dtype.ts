/** Element types of tensors, as the native runtime names them. */
export const dtypes = ['float32', 'float16', 'bfloat16', 'int32', 'uint8'] as const;

export type DType = (typeof dtypes)[number];

/** Bytes of one element. */
export const dtypeBytes: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  uint8: 1,
};
