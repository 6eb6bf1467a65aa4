// The second pass of products whose depth was split among blocks.
#pragma once

#include "cuda/gemm_kernel.h"

namespace ipai::cuda {

inline constexpr int kSumThreads = 128;

// A thread adds up the splits' sums of 8 outputs, first split first. It is bound by the latency of its loads,
// of which those of 4 splits are under way together.
template <class T, int kColumnsPerOutput>
__global__ void __launch_bounds__(kSumThreads)
    gemm_sum_splits(const GemmOperands<T> operands, const Epilogue<T> epilogue, int splits) {
  constexpr int kTogether = 4;
  constexpr int kQuads = kOutputLanes * kColumnsPerOutput / 4;
  const int vectors = (epilogue.outputs + kOutputLanes - 1) / kOutputLanes;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kSumThreads + threadIdx.x;
  if (i >= static_cast<int64_t>(operands.windows.count) * vectors) return;
  const int row = static_cast<int>(i / vectors);
  const int first = static_cast<int>(i - static_cast<int64_t>(row) * vectors) * kOutputLanes;
  const int64_t split_stride = static_cast<int64_t>(operands.windows.count) * operands.partial_stride;
  const float* const sums =
      operands.partial_sums + static_cast<int64_t>(row) * operands.partial_stride + first * kColumnsPerOutput;
  float4 totals[kQuads] = {};
  for (int split = 0; split < splits; split += kTogether) {
    // Loads beyond the last split repeat it, and count nothing: with no branch among them, none waits.
    float4 parts[kTogether][kQuads];
#pragma unroll
    for (int j = 0; j < kTogether; ++j) {
      const float* const part = sums + min(split + j, splits - 1) * split_stride;
#pragma unroll
      for (int quad = 0; quad < kQuads; ++quad) {
        parts[j][quad] = *reinterpret_cast<const float4*>(part + 4 * quad);
      }
    }
    __threadfence_block();  // keeps the compiler from adding between loads, which would wait for each
#pragma unroll
    for (int j = 0; j < kTogether; ++j) {
      const bool counts = split + j < splits;
#pragma unroll
      for (int quad = 0; quad < kQuads; ++quad) {
        totals[quad].x += counts ? parts[j][quad].x : 0;
        totals[quad].y += counts ? parts[j][quad].y : 0;
        totals[quad].z += counts ? parts[j][quad].z : 0;
        totals[quad].w += counts ? parts[j][quad].w : 0;
      }
    }
  }
  finish_outputs<kColumnsPerOutput>(epilogue, row, first, [&](int quad) { return totals[quad]; });
}

}  // namespace ipai::cuda
