// The core of the packed GEMM: a tile of C that stays in registers while one panel of A and one of B run past
// it.
//
//   A panel   rows x depth, float32, row r at a + r·kPanelStride
//   B panel   depth x (vecs·lanes), row-major, float32 or bfloat16
//   C tile    rows x (vecs·lanes), float32, row r at c + r·kTileColumns
//
// Per step of depth a full tile loads kTileVecs vectors of B, broadcasts kTileRows scalars of A and does
// kTileRows·kTileVecs fused multiply-adds; the tile sizes fill each target's register file:
// 14·2 + 2 + 1 = 31 of AVX-512's 32 registers, 6·2 + 2 + 1 = 15 of AVX2's 16, 4·2 + 2 + 1 = 11 of SSE2's 16.
//
// A is broadcast from row-major panels (and not interleaved by rows) so that packing it is a plain copy: the
// loads of a row's next elements hit the same cache line.
#pragma once

#include <utility>

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

#if defined(__AVX512F__)
inline constexpr int kTileRows = 14;
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6;
#else
inline constexpr int kTileRows = 4;
#endif
inline constexpr int kTileVecs = 2;
inline constexpr int kTileColumns = kTileVecs * Vec::kLanes;

// Longest run of depth that is summed in registers: an A panel of 14 x 384 floats is 21 KiB of a 32 KiB L1.
inline constexpr int64_t kDepthBlock = 384;
// One cache line more than the block, or else the rows of a panel would compete for the same few sets of the
// L1.
inline constexpr int64_t kPanelStride = kDepthBlock + 16;

template <class T>
using MicroKernel = void (*)(const float* a, const T* b, int64_t depth, float* c, bool accumulate);

// C = A·B, or C += A·B where `accumulate`.
template <class T, int kRows, int kVecs>
void multiply_panels(const float* a, const T* b, int64_t depth, float* c, bool accumulate) {
  Vec sums[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) sums[r][v] = Vec::zero();
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vec b_row[kVecs];
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) b_row[v] = Vec::load(b + v * Vec::kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec a_element = Vec::broadcast(a[r * kPanelStride]);
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v) sums[r][v] = fma(a_element, b_row[v], sums[r][v]);
    }
    a += 1;
    b += kVecs * Vec::kLanes;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) {
      float* out = c + r * kTileColumns + v * Vec::kLanes;
      (accumulate ? Vec::load(out) + sums[r][v] : sums[r][v]).store(out);
    }
  }
}

template <class T, int... kRowIndex>
MicroKernel<T> select_micro_kernel(int rows, int vecs, std::integer_sequence<int, kRowIndex...>) {
  static constexpr MicroKernel<T> kKernels[][2] = {
      {multiply_panels<T, kRowIndex + 1, 1>, multiply_panels<T, kRowIndex + 1, 2>}...};
  return kKernels[rows - 1][vecs - 1];
}

// The kernel for `rows` of [1, kTileRows] and `vecs` of [1, kTileVecs].
template <class T>
MicroKernel<T> micro_kernel(int rows, int vecs) {
  return select_micro_kernel<T>(rows, vecs, std::make_integer_sequence<int, kTileRows>());
}

}  // namespace ipai::IPAI_TARGET
