// Moments (moments.h) of the columns that a thread has of a matrix.
//
// A thread sums differences from its own first value of each column: a value of the very set that it
// measures, so that at worst as many units in the last place are lost as it has rows, wherever the mean lies.
#pragma once

#include "cuda/column_rows.h"
#include "cuda/moments.h"

namespace ipai::cuda {

// Over the thread's rows, of which there are `size`, at least one.
template <class T, int kLanes, int kThreads>
__device__ inline void measure_columns(const ColumnRows<T, kLanes, kThreads>& columns, const T* matrix,
                                       int64_t stride, float size, float2 (&moments)[kLanes]) {
  float pivots[kLanes] = {}, sums[kLanes] = {}, squares[kLanes] = {};
  columns.for_each(matrix, stride, [&](int row, const float(&values)[kLanes]) {
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      if (row == columns.first) pivots[j] = values[j];
      const float difference = values[j] - pivots[j];
      sums[j] += difference;
      squares[j] = fmaf(difference, difference, squares[j]);
    }
  });
  const float inverse = 1.0f / size;
#pragma unroll
  for (int j = 0; j < kLanes; ++j) {
    const float mean = sums[j] * inverse;
    moments[j] = {pivots[j] + mean, fmaxf(0, fmaf(-mean, sums[j], squares[j]))};
  }
}

// Merges neighbouring columns, `run` at a time, a power of two: moments[j], each of `size` numbers, become
// those of columns j ... j + run - 1 where j is a multiple of `run`.
template <int kLanes>
__device__ inline void merge_runs(float2 (&moments)[kLanes], int run, float size) {
#pragma unroll
  for (int distance = 1; distance < kLanes; distance *= 2) {
    if (distance >= run) break;
#pragma unroll
    for (int j = 0; j < kLanes; j += 2 * distance) {
      moments[j] = merge_pair(moments[j], moments[j + distance], size * static_cast<float>(distance));
    }
  }
}

}  // namespace ipai::cuda
