// A warp's queries, kTiles tiles of 16 of one head, as operands of the product with keys.
//
// Tokens of a head lie in shared memory row after row, in 16-byte chunks of 8 channels as SharedTile has
// them; the swizzle repeats every 8 rows, so that any multiple of 8 tokens may be skipped. A head of 40 takes
// 5 chunks there and 2·16 + 8 channels in products with keys, by mma_m16n8k8: filled up to 48, the last step
// would cost as much as a whole one, and ldmatrix would read 20% more. 88 likewise.
#pragma once

#include "cuda/ldmatrix.h"
#include "cuda/math.h"
#include "cuda/mma.h"
#include "cuda/shared_tile.h"

namespace ipai::cuda {

inline constexpr int kTileQueries = 16;

template <class T, int kHead>
using HeadTile = SharedTile<T, kTileQueries, kHead>;

// Scores of kKeys keys, as mma_m16n8k16 leaves them, and weights, as it takes them.
template <int kTiles, int kKeys>
using Scores = float[kTiles][kKeys / 8][4];
template <int kTiles, int kKeys>
using WeightFragments = uint32_t[kTiles][kKeys / 16][4];

// The factor of scores, in powers of 2 and positive. Its sign is that of the queries as they are loaded, and
// they are 0 where it is 0: the largest product is the largest score then.
struct ScoreFactor {
  float magnitude;
  uint32_t kept_bits;     // of pairs of queries
  uint32_t flipped_bits;  // likewise

  static ScoreFactor of(float scale) {
    if (scale == 0) return {1, 0, 0};
    const bool negative = scale < 0;
    return {(negative ? -scale : scale) * kLog2E, 0xffffffff, negative ? 0x80008000 : 0};
  }
};

template <class T, int kHead, int kTiles>
struct QueryFragments {
  static_assert(kHead % 8 == 0, "heads are whole chunks of 8 channels");
  static constexpr int kSteps = kHead / 16;
  static constexpr bool kHasHalfStep = kHead % 16 != 0;

  uint32_t whole[kTiles][kSteps][4];
  uint32_t half[kTiles][2];

  // From the warp's rows in shared memory.
  __device__ void load(const T* rows, const ScoreFactor& factor) {
    const int row = lane_index() % 16, chunk = lane_index() / 16;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile, rows += kTileQueries * kHead) {
#pragma unroll
      for (int step = 0; step < kSteps; ++step) {
        load_matrices(whole[tile][step], rows + HeadTile<T, kHead>::chunk(row, 2 * step + chunk));
#pragma unroll
        for (uint32_t& pair : whole[tile][step]) pair = (pair & factor.kept_bits) ^ factor.flipped_bits;
      }
      if constexpr (kHasHalfStep) {
        load_matrices(half[tile], rows + HeadTile<T, kHead>::chunk(row, 2 * kSteps));
#pragma unroll
        for (uint32_t& pair : half[tile]) pair = (pair & factor.kept_bits) ^ factor.flipped_bits;
      }
    }
  }

  // scores = queries · keysᵀ
  template <int kKeys>
  __device__ void multiply(const T* keys, Scores<kTiles, kKeys>& scores) const {
    const int row = lane_index() / 16 * 8 + lane_index() % 8, chunk = lane_index() / 8 % 2;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) scores[tile][n][i] = 0;
      }
    }
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; n += 2) {
        uint32_t pair[4];
        load_matrices(pair, keys + 8 * n * kHead + HeadTile<T, kHead>::chunk(row, 2 * step + chunk));
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_m16n8k16<T>(scores[tile][n], whole[tile][step], {pair[0], pair[1]});
          mma_m16n8k16<T>(scores[tile][n + 1], whole[tile][step], {pair[2], pair[3]});
        }
      }
    }
    if constexpr (kHasHalfStep) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; n += 2) {
        uint32_t pair[2];
        load_matrices(pair, keys + 8 * n * kHead + HeadTile<T, kHead>::chunk(lane_index() % 16, 2 * kSteps));
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_m16n8k8<T>(scores[tile][n], half[tile], {pair[0]});
          mma_m16n8k8<T>(scores[tile][n + 1], half[tile], {pair[1]});
        }
      }
    }
  }
};

}  // namespace ipai::cuda
