// Weights as weight_rows.h reads them: [rows, depth], depth over (tap, channel) as the pictures have it, the
// channels of each tap filled up with zeros to whole chunks. With `glu`, rows n and n + rows/2 of the source
// are neighbours.
#pragma once

#include "cuda/window_rows.h"
#include "runtime/cuda_encoder.h"
#include "runtime/tensor_view.h"

namespace ipai::cuda {

// Bytes of a packed weight [rows, channels, taps].
inline size_t packed_weight_bytes(DType dtype, int64_t rows, int64_t channels, int64_t taps) {
  return static_cast<size_t>(rows * taps * ((channels + kChunk - 1) / kChunk) * kChunk) * dtype_size(dtype);
}

// From any float [rows, channels, taps...] to any.
void record_pack_weight(const TensorView& weight, const TensorView& packed, bool glu, CudaEncoder& encoder);
// From any float [channels, rows] to any.
void record_pack_transposed_weight(const TensorView& weight, const TensorView& packed, bool glu,
                                   CudaEncoder& encoder);

}  // namespace ipai::cuda
