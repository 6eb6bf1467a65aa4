// A block's threads side by side over some columns of a matrix in row-major order: each keeps to kLanes
// neighbouring columns, so that what belongs to a column stays in registers, and takes every n-th row.
#pragma once

#include "cuda/lanes.h"

namespace ipai::cuda {

template <class T, int kLanes, int kThreads>
struct ColumnRows {
  // Rows that a thread loads before it uses the first.
  static constexpr int kBatch = 4;

  // `columns`, of kLanes elements each, at most kThreads.
  __device__ ColumnRows(int columns, int row_count) : rows(row_count), step(kThreads / columns) {
    const int thread = static_cast<int>(threadIdx.x);
    column = thread % columns * kLanes;
    first = thread / columns;
    if (first >= step) first = rows;  // a thread too many
    whole_steps = rows / step;
  }

  __device__ bool is_idle() const { return first >= rows; }
  // How many rows the threads take whose first is `row`.
  __device__ int count_from(int row) const { return whole_steps + (row < rows - whole_steps * step ? 1 : 0); }

  // body(row, lanes) for each of the thread's rows; `matrix` is the first row's first element, rows begin
  // `stride` elements apart.
  template <class Body>
  __device__ void for_each(const T* matrix, int64_t stride, Body body) const {
    const T* const own = matrix + column;
    int row = first;
    for (; row + (kBatch - 1) * step < rows; row += kBatch * step) {
      float values[kBatch][kLanes];
#pragma unroll
      for (int i = 0; i < kBatch; ++i) load_lanes(own + (row + i * step) * stride, values[i]);
#pragma unroll
      for (int i = 0; i < kBatch; ++i) body(row + i * step, values[i]);
    }
    for (; row < rows; row += step) {
      float values[kLanes];
      load_lanes(own + row * stride, values);
      body(row, values);
    }
  }

  int rows;
  int step;         // rows that the block takes at once
  int whole_steps;  // of the whole block
  int column;       // the thread's first element of a row
  int first;        // the thread's first row
};

}  // namespace ipai::cuda
