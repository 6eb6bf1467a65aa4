// The core of the packed GEMM: a tile of C that stays in registers while one panel of A and one of B run past
// it.
//
//   A panel   rows x depth, row r at a + r·a_stride
//   B panel   depth x (vecs·lanes), row-major; where a product takes pairs (see PanelProduct), depth/2 rows
//   of
//             pairs: [depth/2][vecs·lanes][2]
//   C tile    rows x (vecs·lanes), float32, row r at c + r·kTileColumns
//
// Per step a full tile loads kTileVecs vectors of B, broadcasts kTileRows elements of A and does
// kTileRows·kTileVecs fused multiply-adds; the tile sizes fill each target's register file:
// 14·2 + 2 + 1 = 31 of AVX-512's 32 registers, 6·2 + 2 + 1 = 15 of AVX2's 16, 4·2 + 2 + 1 = 11 of SSE2's 16.
//
// A is broadcast from row-major panels (and not interleaved by rows) so that packing it is a plain copy: the
// loads of a row's next elements hit the same cache line.
#pragma once

#include <utility>

#include "cpu/bfloat16_pairs.h"
#include "cpu/convert.h"

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

// How elements of B are multiplied: in float32, whatever they are stored as.
template <class B>
struct PanelProduct {
  using Left = float;                   // elements of A
  static constexpr int kDepthUnit = 1;  // elements of depth in one step

  static Vec left(const float* a) { return Vec::broadcast(*a); }
  static Vec right(const B* b) { return load_lanes(b); }
  static Vec add(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
};

#if defined(__AVX512BF16__)
// Pairs of bfloat16: see bfloat16_pairs.h.
template <>
struct PanelProduct<BFloat16> {
  using Left = BFloat16;
  static constexpr int kDepthUnit = 2;

  static Vec left(const BFloat16* a) { return broadcast_pair(a); }
  static Vec right(const BFloat16* b) { return load_pairs(b); }
  static Vec add(Vec a, Vec b, Vec sum) { return dot_pairs(a, b, sum); }
};
#endif

template <class B>
using Left = typename PanelProduct<B>::Left;

// Elements of depth that a product of this dtype takes at a time.
inline int64_t depth_unit(DType dtype) {
  return dtype == DType::kBFloat16 ? PanelProduct<BFloat16>::kDepthUnit : 1;
}

// `depth` is a multiple of the product's kDepthUnit.
template <class B>
using MicroKernel = void (*)(const Left<B>* a, int64_t a_stride, const B* b, int64_t depth, float* c,
                             bool accumulate);

// C = A·B, or C += A·B where `accumulate`.
template <class B, int kRows, int kVecs>
void multiply_panels(const Left<B>* a, int64_t a_stride, const B* b, int64_t depth, float* c,
                     bool accumulate) {
  constexpr int kUnit = PanelProduct<B>::kDepthUnit;
  Vec sums[kRows][kVecs];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) sums[r][v] = Vec::zero();
  }
  for (int64_t k = 0; k < depth; k += kUnit) {
    Vec b_row[kVecs];
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) b_row[v] = PanelProduct<B>::right(b + v * Vec::kLanes * kUnit);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Vec a_element = PanelProduct<B>::left(a + r * a_stride);
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v) sums[r][v] = PanelProduct<B>::add(a_element, b_row[v], sums[r][v]);
    }
    a += kUnit;
    b += kVecs * Vec::kLanes * kUnit;
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

template <class B, int... kRowIndex>
MicroKernel<B> select_micro_kernel(int rows, int vecs, std::integer_sequence<int, kRowIndex...>) {
  static constexpr MicroKernel<B> kKernels[][2] = {
      {multiply_panels<B, kRowIndex + 1, 1>, multiply_panels<B, kRowIndex + 1, 2>}...};
  return kKernels[rows - 1][vecs - 1];
}

// The kernel for `rows` of [1, kTileRows] and `vecs` of [1, kTileVecs].
template <class B>
MicroKernel<B> micro_kernel(int rows, int vecs) {
  return select_micro_kernel<B>(rows, vecs, std::make_integer_sequence<int, kTileRows>());
}

}  // namespace ipai::IPAI_TARGET
