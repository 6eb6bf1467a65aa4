// Tokens of one head between global memory, [tokens, heads · D], and shared memory (attention_queries.h).
#pragma once

#include "cuda/async_copy.h"
#include "cuda/attention_queries.h"
#include "cuda/vector.h"

namespace ipai::cuda {

template <class T>
struct HeadRows {
  T* first;  // the head's first channel of token 0
  int stride;
  int count;

  __device__ int64_t offset(int row) const { return static_cast<int64_t>(row) * stride; }
  __device__ HeadRows from(int row) const { return {first + offset(row), stride, count - row}; }
};

// Of [samples, count, heads · kHead].
template <int kHead, class T>
__device__ inline HeadRows<T> head_rows(T* tensor, int count, int heads, int sample, int head) {
  const int stride = heads * kHead;
  return {tensor + static_cast<int64_t>(sample) * count * stride + head * kHead, stride, count};
}

// How threads share the copying of tokens: `width` neighbours copy neighbouring chunks of a row, and after
// each such column, all go on `rows` rows further. As that is a multiple of 8, the swizzle stays the same,
// and a thread's next target is a constant away.
struct CopyPattern {
  int width;
  int rows;
};

// With the fewest idle threads, of these the longest rows, of at least 64 bytes; width 0: there is none.
constexpr CopyPattern copy_pattern(int chunks, int threads) {
  CopyPattern best = {0, 0};
  for (int width = 4; width <= chunks; ++width) {
    const int rows = threads / width / 8 * 8;
    if (chunks % width == 0 && rows > 0 && width * rows >= best.width * best.rows) best = {width, rows};
  }
  return best;
}
template <int kChunks, int kThreads>
inline constexpr CopyPattern kCopyPattern = copy_pattern(kChunks, kThreads);

// Copies `rows` tokens from `first` on to where Layout has them, zeros where there are none; the threads
// 0 ... kThreads - 1 share them.
template <class Layout, int kThreads, class T>
__device__ inline void copy_rows_into(T* target, const HeadRows<const T>& source, int first, int rows,
                                      int thread) {
  constexpr int kChunks = Layout::kChunks;
  constexpr CopyPattern kPattern = kCopyPattern<kChunks, kThreads>;
  if constexpr (kPattern.width != 0) {
    const int row = thread / kPattern.width;
    if (row >= kPattern.rows) return;
#pragma unroll
    for (int column = 0; column < kChunks; column += kPattern.width) {
      const int chunk = column + thread % kPattern.width;
      int64_t offset = source.offset(first + row) + 8 * chunk;
      T* to = target + Layout::chunk(row, chunk);
#pragma unroll
      for (int i = row; i < rows; i += kPattern.rows) {
        copy_async(to, source.first + offset, first + i < source.count);
        offset += source.offset(kPattern.rows);
        to += kPattern.rows * Layout::kRowElements;
      }
    }
  } else {
    // Unrolled, its addresses would take registers of loops around it.
#pragma unroll 1
    for (int i = thread; i < rows * kChunks; i += kThreads) {
      const int row = i / kChunks, chunk = i % kChunks;
      const T* const from = source.first + source.offset(first + row) + 8 * chunk;
      copy_async(target + Layout::chunk(row, chunk), from, first + row < source.count);
    }
  }
}
template <int kHead, int kThreads, class T>
__device__ inline void copy_rows_async(T* target, const HeadRows<const T>& source, int first, int rows,
                                       int thread) {
  copy_rows_into<HeadTile<T, kHead>, kThreads>(target, source, first, rows, thread);
}

// Writes a warp's kRows tokens to those from `first` on, as far as there are any.
template <int kHead, int kRows, class T>
__device__ inline void write_rows(const T* rows, const HeadRows<T>& target, int first) {
  constexpr int kChunks = kHead / 8;
#pragma unroll 1  // as in the copying of rows
  for (int i = lane_index(); i < kRows * kChunks; i += kWarpSize) {
    const int row = i / kChunks, chunk = i % kChunks;
    if (first + row >= target.count) break;
    const auto vector = Vector<T>::load(rows + HeadTile<T, kHead>::chunk(row, chunk));
    vector.store(target.first + target.offset(first + row) + 8 * chunk);
  }
}

}  // namespace ipai::cuda
