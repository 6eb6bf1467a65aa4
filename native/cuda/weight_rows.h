// The right operand of a product: the weight's rows as pack_weight.h lays them out, [columns, depth] with the
// depth in whole chunks. Tiles are copied as those of window_rows.h are.
#pragma once

#include "cuda/window_rows.h"

namespace ipai::cuda {

template <class T, int kColumns, int kThreads>
class WeightLoader {
 public:
  // `columns` are those that are left from `first_column` on.
  __device__ WeightLoader(const T* weight, int first_column, int columns, int depth_chunks, int first_step)
      : chunk_(first_step * kStepChunks + static_cast<int>(threadIdx.x % kStepChunks)),
        depth_chunks_(depth_chunks),
        columns_(columns - static_cast<int>(threadIdx.x / kStepChunks)),
        source_(weight +
                (static_cast<int64_t>(first_column + threadIdx.x / kStepChunks) * depth_chunks + chunk_) *
                    kChunk) {}

  __device__ void load(T* tile, bool wanted) const {
    T* const target = tile + SharedTile<T, kColumns, kStepDepth>::chunk(threadIdx.x / kStepChunks,
                                                                        threadIdx.x % kStepChunks);
    const int columns = wanted && chunk_ < depth_chunks_ ? columns_ : 0;
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const T* const source = source_ + static_cast<int64_t>(i * kRowsBetween) * depth_chunks_ * kChunk;
      copy_async(target + i * kRowsBetween * kStepDepth, source, i * kRowsBetween < columns);
    }
  }

  __device__ void advance() {
    chunk_ += kStepChunks;
    source_ += kStepDepth;
  }

 private:
  static constexpr int kRowsBetween = kThreads / kStepChunks;
  static constexpr int kCopies = kColumns / kRowsBetween;
  static_assert(kRowsBetween % 8 == 0 && kColumns % kRowsBetween == 0, "all threads copy equally many rows");

  int chunk_;
  int depth_chunks_;
  int columns_;
  const T* source_;
};

}  // namespace ipai::cuda
