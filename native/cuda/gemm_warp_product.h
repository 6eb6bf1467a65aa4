// A tile's product by its warps, each with a part of it (mma.sync). Within a step, the fragments of the next
// 16 of the depth are loaded before those at hand are multiplied.
#pragma once

#include "cuda/gemm_step_loader.h"
#include "cuda/ldmatrix.h"
#include "cuda/mma.h"

namespace ipai::cuda {

template <class T, class Tile>
class WarpProduct {
 public:
  __device__ WarpProduct()
      : row_(warp_index() / kWarpsAcross * Tile::kWarpRows),
        column_(warp_index() % kWarpsAcross * Tile::kWarpColumns) {}

  // Fragments of depth [16·k, 16·k + 16) of a stage, into one of two buffers.
  __device__ void load(const T* stage, int k) {
    Fragments& fragments = fragments_[k % 2];
    const int lane = lane_index();
    // Rows that are multiples of 8 apart are swizzled alike.
    const T* const windows = stage + WindowTile::chunk(row_ + lane % 16, 2 * k + lane / 16);
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) load_matrices(fragments.windows[i], windows + i * 16 * kStepDepth);
    const T* const weights = stage + Tile::kWindowElements +
                             WeightTile::chunk(column_ + lane / 16 * 8 + lane % 8, 2 * k + lane / 8 % 2);
#pragma unroll
    for (int i = 0; i < kColumnPairs; ++i) load_matrices(fragments.weights[i], weights + i * 16 * kStepDepth);
  }

  __device__ void multiply(int k) {
    const Fragments& fragments = fragments_[k % 2];
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int j = 0; j < kColumnPairs; ++j) {
        const uint32_t(&pair)[4] = fragments.weights[j];
        mma_m16n8k16<T>(sums_[i][2 * j], fragments.windows[i], {pair[0], pair[1]});
        mma_m16n8k16<T>(sums_[i][2 * j + 1], fragments.windows[i], {pair[2], pair[3]});
      }
    }
  }

  // store(row, column, pair) for every pair of neighbours of the block's tile that the thread has.
  template <class Store>
  __device__ void for_each_pair(Store store) const {
    const int row = row_ + lane_index() / 4;
    const int column = column_ + lane_index() % 4 * 2;
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int j = 0; j < 2 * kColumnPairs; ++j) {
        store(row + 16 * i, column + 8 * j, float2{sums_[i][j][0], sums_[i][j][1]});
        store(row + 16 * i + 8, column + 8 * j, float2{sums_[i][j][2], sums_[i][j][3]});
      }
    }
  }

 private:
  using WindowTile = SharedTile<T, Tile::kRows, kStepDepth>;
  using WeightTile = SharedTile<T, Tile::kColumns, kStepDepth>;
  static constexpr int kWarpsAcross = Tile::kColumns / Tile::kWarpColumns;
  static constexpr int kRowTiles = Tile::kWarpRows / 16;
  static constexpr int kColumnPairs = Tile::kWarpColumns / 16;

  struct Fragments {
    uint32_t windows[kRowTiles][4];
    uint32_t weights[kColumnPairs][4];  // of two mma side by side
  };

  int row_, column_;  // of the warp's part in the tile
  Fragments fragments_[2];
  float sums_[kRowTiles][2 * kColumnPairs][4] = {};
};

// Multiplies so many steps.
template <class T, class Tile>
__device__ void multiply_steps(StepLoader<T, Tile>& loader, const T* stages, int steps,
                               WarpProduct<T, Tile>& product) {
#pragma unroll
  for (int stage = 0; stage < Tile::kStages - 1; ++stage) {
    loader.copy(stage);
    loader.go_on();
  }
  wait_copies<Tile::kStages - 2>();
  __syncthreads();

  constexpr int kParts = kStepDepth / 16;
  product.load(stages, 0);
  int stage = 0;
  int free_stage = Tile::kStages - 1;
  for (int step = 0; step < steps; ++step) {
#pragma unroll
    for (int k = 0; k < kParts; ++k) {
      if (k == kParts - 1) {
        // The next stage has arrived, and all have read the present one, which is free from here on.
        wait_copies<Tile::kStages - 2>();
        __syncthreads();
        stage = stage + 1 == Tile::kStages ? 0 : stage + 1;
      }
      // After the last step: fragments of a stage that holds nothing, which nobody multiplies.
      product.load(stages + stage * Tile::kStageElements, (k + 1) % kParts);
      // No branches here, so that the copies find their places between products.
      if (k == 0) loader.copy(free_stage);
      product.multiply(k);
    }
    free_stage = free_stage + 1 == Tile::kStages ? 0 : free_stage + 1;
    loader.go_on();
  }
  wait_copies<0>();
  __syncthreads();
}

}  // namespace ipai::cuda
