// Where the elements of a tile lie in shared memory: rows of 16-byte chunks, swizzled so that the 8 chunks of
// one column in 8 neighbouring rows (one phase of ldmatrix) lie in 8 different groups of banks, for any row
// length.
#pragma once

#include "cuda/platform.h"

namespace ipai::cuda {

constexpr int greatest_common_divisor(int a, int b) {
  return b == 0 ? a : greatest_common_divisor(b, a % b);
}

// The 32 banks of 4 bytes are 8 groups of one chunk. Rows of n chunks step through 8 / gcd(n, 8) of them;
// what repeats is told apart by exchanging chunks within aligned runs of gcd(n, 8).
template <class T, int kRows, int kColumnCount>
struct SharedTile {
  static constexpr int kColumns = kColumnCount;
  static_assert(kColumns * sizeof(T) % 16 == 0, "rows are whole chunks of 16 bytes");
  static constexpr int kChunkElements = 16 / sizeof(T);
  static constexpr int kChunks = kColumns / kChunkElements;
  static constexpr int kRun = greatest_common_divisor(kChunks, 8);
  static constexpr size_t kBytes = sizeof(T) * kRows * kColumns;
  // A column's chunks in rows that are a multiple of 8 apart lie so far apart for each row.
  static constexpr int kRowElements = kColumns;

  // Index of the first element of a chunk.
  __device__ static int chunk(int row, int chunk) {
    return (row * kChunks + (chunk ^ (row / (8 / kRun) % kRun))) * kChunkElements;
  }
  __device__ static int element(int row, int column) {
    return chunk(row, column / kChunkElements) + column % kChunkElements;
  }
};

}  // namespace ipai::cuda
