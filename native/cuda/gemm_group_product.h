// A tile's product by its warpgroups, each with whole rows of it (wgmma): operands go straight from shared
// memory to the tensor cores, which work while the warps bring the next ones.
#pragma once

#include "cuda/gemm_step_loader.h"
#include "cuda/wgmma.h"

namespace ipai::cuda {

template <class T, class Tile>
class GroupProduct {
 public:
  // `is_first`: there are no sums yet.
  __device__ void multiply(const T* stage, bool is_first) {
    begin_group_products();
#pragma unroll
    for (int k = 0; k < kStepDepth / 16; ++k) {
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) {
        const T* const windows = stage + (first_row() + i * kGroupRows) * kStepDepth;
        multiply_in_group(sums_[i], windows, stage + Tile::kWindowElements, k, k > 0 || !is_first);
      }
    }
    commit_group_products();
  }

  template <class Store>
  __device__ void for_each_pair(Store store) const {
    const int warp = static_cast<int>(threadIdx.x) % kGroupThreads / kWarpSize;
    const int row = first_row() + warp * 16 + lane_index() / 4;
    const int column = lane_index() % 4 * 2;
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int j = 0; j < kColumnTiles; ++j) {
        store(row + kGroupRows * i, column + 8 * j, float2{sums_[i][j][0], sums_[i][j][1]});
        store(row + kGroupRows * i + 8, column + 8 * j, float2{sums_[i][j][2], sums_[i][j][3]});
      }
    }
  }

 private:
  static constexpr int kGroups = Tile::kThreads / kGroupThreads;
  static constexpr int kRowTiles = Tile::kRows / kGroupRows / kGroups;
  static constexpr int kColumnTiles = Tile::kColumns / 8;
  static_assert(kRowTiles * kGroups * kGroupRows == Tile::kRows, "groups have equal parts of the tile");

  __device__ static int first_row() {
    return static_cast<int>(threadIdx.x) / kGroupThreads * (kRowTiles * kGroupRows);
  }

  float sums_[kRowTiles][kColumnTiles][4];
};

// Multiplies so many steps, one at least.
template <class T, class Tile>
__device__ void multiply_steps(StepLoader<T, Tile>& loader, const T* stages, int steps,
                               GroupProduct<T, Tile>& product) {
  // With stages enough, the products of the step before go on while those of the present one begin.
  constexpr int kOverlap = Tile::kStages >= 4 ? 1 : 0;
  constexpr int kAhead = Tile::kStages - 1 - kOverlap;
#pragma unroll
  for (int stage = 0; stage < kAhead; ++stage) {
    loader.copy(stage);
    loader.go_on();
  }
  int stage = 0;
  int free_stage = kAhead;
  for (int step = 0; step < steps; ++step) {
    wait_copies<kAhead - 1>();
    show_to_group_products();
    // The step has arrived for all threads, and all are through with what lies in the free stage.
    __syncthreads();
    product.multiply(stages + stage * Tile::kStageElements, step == 0);
    loader.copy(free_stage);
    loader.go_on();
    wait_group_products<kOverlap>();
    stage = stage + 1 == Tile::kStages ? 0 : stage + 1;
    free_stage = free_stage + 1 == Tile::kStages ? 0 : free_stage + 1;
  }
  wait_group_products<0>();
  wait_copies<0>();
  __syncthreads();
}

}  // namespace ipai::cuda
