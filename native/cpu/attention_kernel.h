// The matrix product inside attention: queries lie across vector lanes, so that keys and values are read as
// they are, element by element, and no head size needs padding to the width of a vector.
//
//   c[row][column] = factor[column] · c[row][column] + Σ_i a(row, i) · b[i][column]
//
// Scores are such a product (rows: keys, i: head channels), and so are weighted values (rows: head channels,
// i: keys).
#pragma once

#include <algorithm>

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// Registers: kRowBlock · kGroupVecs sums, kGroupVecs vectors of b, one element of a.
#if defined(__AVX512F__)
inline constexpr int kRowBlock = 8;
inline constexpr int kGroupVecs = 3;
inline constexpr int kTileGroups = 2;
#elif defined(__AVX2__)
inline constexpr int kRowBlock = 4;
inline constexpr int kGroupVecs = 3;
inline constexpr int kTileGroups = 4;
#else
inline constexpr int kRowBlock = 4;
inline constexpr int kGroupVecs = 2;
inline constexpr int kTileGroups = 8;
#endif

// Queries of one tile: the distance between rows of b and c.
inline constexpr int kQueryVecs = kGroupVecs * kTileGroups;
inline constexpr int kTileQueries = kQueryVecs * Vec::kLanes;

// How a's element (row, i) is found.
enum class ALayout { kRowsApart, kRowsAdjacent };  // a[row · stride + i], a[i · stride + row]

struct Product {
  const float* a;
  int64_t a_stride;
  const float* b;
  float* c;
  int64_t rows;          // a multiple of kRowBlock
  int64_t depth;         // terms of the sum
  int vecs;              // vectors of columns, at most kQueryVecs
  const float* factors;  // [columns], null for 0
};

template <ALayout kLayout, int kVecs>
void multiply_block(const Product& p, int64_t row, int column) {
  Vec sums[kRowBlock][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRowBlock; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVecs; ++v) {
      const int offset = column + v * Vec::kLanes;
      sums[r][v] = p.factors == nullptr
                       ? Vec::zero()
                       : Vec::load(p.factors + offset) * Vec::load(p.c + (row + r) * kTileQueries + offset);
    }
  }
  const int64_t a_step = kLayout == ALayout::kRowsApart ? 1 : p.a_stride;
  const int64_t a_row = kLayout == ALayout::kRowsApart ? p.a_stride : 1;
  const float* a = p.a + row * a_row;
  const float* b = p.b + column;
  for (int64_t i = 0; i < p.depth; ++i, a += a_step, b += kTileQueries) {
    Vec b_row[kVecs];
#pragma GCC unroll 3
    for (int v = 0; v < kVecs; ++v) b_row[v] = Vec::load(b + v * Vec::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRowBlock; ++r) {
      const Vec element = Vec::broadcast(a[r * a_row]);
#pragma GCC unroll 3
      for (int v = 0; v < kVecs; ++v) sums[r][v] = fma(element, b_row[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRowBlock; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVecs; ++v)
      sums[r][v].store(p.c + (row + r) * kTileQueries + column + v * Vec::kLanes);
  }
}

template <ALayout kLayout, int kVecs>
void multiply_rows(const Product& p, int column) {
  for (int64_t row = 0; row < p.rows; row += kRowBlock) multiply_block<kLayout, kVecs>(p, row, column);
}

template <ALayout kLayout>
void multiply(const Product& p) {
  for (int vec = 0; vec < p.vecs; vec += kGroupVecs) {
    const int column = vec * Vec::kLanes;
    switch (std::min(kGroupVecs, p.vecs - vec)) {
      case 1:
        multiply_rows<kLayout, 1>(p, column);
        break;
      case 2:
        multiply_rows<kLayout, 2>(p, column);
        break;
      default:
        multiply_rows<kLayout, kGroupVecs>(p, column);
    }
  }
}

}  // namespace ipai::IPAI_TARGET
