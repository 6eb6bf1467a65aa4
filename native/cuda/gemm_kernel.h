// The product of windows and weights on the tensor cores, for linear layers and convolutions alike.
//
// A block's operands pass through kStages buffers of shared memory: while a step is being multiplied, those
// of the next kStages - 1 are on their way (cp.async). Within a step, the fragments of the next 16 of the
// depth are loaded before those at hand are multiplied. Sums stay in registers until the depth is done; then
// they go through shared memory, in place of the operands, to be finished in whole vectors of a row.
#pragma once

#include "cuda/gemm_epilogue.h"
#include "cuda/gemm_tile.h"
#include "cuda/ldmatrix.h"
#include "cuda/mma.h"
#include "cuda/weight_rows.h"

namespace ipai::cuda {

template <class T>
struct GemmOperands {
  WindowRows windows;
  const T* picture;
  const T* weight;
  int columns;
  int steps_per_split;  // of the depth; blockIdx.y is the split
  // Sums of the splits, [splits, rows, partial_stride], where there is more than one; else null.
  float* partial_sums;
  int partial_stride;
};

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

// Multiplies steps [first_step, last_step).
template <class T, class Tile>
__device__ void multiply_steps(const GemmOperands<T>& operands, T* stages, const Window* windows,
                               int first_column, int first_step, int last_step,
                               WarpProduct<T, Tile>& product) {
  WindowLoader<T, Tile::kRows, Tile::kThreads> window_loader(operands.windows, operands.picture, windows,
                                                             first_step);
  WeightLoader<T, Tile::kColumns, Tile::kThreads> weight_loader(operands.weight, first_column,
                                                                operands.columns - first_column,
                                                                operands.windows.depth_chunks(), first_step);
  // Each step is a group of copies, also where there is nothing left to copy, so that groups can be counted.
  int steps_to_load = last_step - first_step;
  const auto copy_step = [&](int stage) {
    T* const target = stages + stage * Tile::kStageElements;
    window_loader.load(target, steps_to_load > 0);
    weight_loader.load(target + Tile::kWindowElements, steps_to_load > 0);
    commit_copies();
  };
  const auto go_on = [&] {
    window_loader.advance();
    weight_loader.advance();
    --steps_to_load;
  };
#pragma unroll
  for (int stage = 0; stage < Tile::kStages - 1; ++stage) {
    copy_step(stage);
    go_on();
  }
  wait_copies<Tile::kStages - 2>();
  __syncthreads();

  constexpr int kParts = kStepDepth / 16;
  product.load(stages, 0);
  int stage = 0;
  int free_stage = Tile::kStages - 1;
  for (int step = first_step; step < last_step; ++step) {
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
      if (k == 0) copy_step(free_stage);
      product.multiply(k);
    }
    free_stage = free_stage + 1 == Tile::kStages ? 0 : free_stage + 1;
    go_on();
  }
  wait_copies<0>();
  __syncthreads();
}

// The outputs of a tile whose sums are in shared memory, rows kSumStride apart.
template <int kColumnsPerOutput, class T, class Tile>
__device__ void finish_sums(const GemmOperands<T>& operands, const Epilogue<T>& epilogue, const float* sums,
                            int first_row, int first_column) {
  constexpr int kColumns = kOutputLanes * kColumnsPerOutput;
  constexpr int kVectors = Tile::kColumns / kColumns;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::kRows * kVectors; i += Tile::kThreads) {
    const int row = i / kVectors;
    const int column = i % kVectors * kColumns;
    if (first_row + row >= operands.windows.count) return;
    const float* const first = sums + row * Tile::kSumStride + column;
    finish_outputs<kColumnsPerOutput>(
        epilogue, first_row + row, (first_column + column) / kColumnsPerOutput,
        [&](int quad) { return *reinterpret_cast<const float4*>(first + 4 * quad); });
  }
}

template <class T, class Tile>
__device__ void finish_tile(const GemmOperands<T>& operands, const Epilogue<T>& epilogue, const float* sums,
                            int first_row, int first_column) {
  __syncthreads();  // all threads' sums are there
  if (epilogue.columns_per_output() == 2) {
    finish_sums<2, T, Tile>(operands, epilogue, sums, first_row, first_column);
  } else {
    finish_sums<1, T, Tile>(operands, epilogue, sums, first_row, first_column);
  }
}

template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads)
    gemm_tiles(const GemmOperands<T> operands, const Epilogue<T> epilogue) {
  T* const stages = reinterpret_cast<T*>(dynamic_shared());
  auto* const windows = reinterpret_cast<Window*>(dynamic_shared() + Tile::kStagesBytes);
  const int tiles_across = (operands.columns + Tile::kColumns - 1) / Tile::kColumns;
  const int tile_row = static_cast<int>(blockIdx.x) / tiles_across;
  const int first_row = tile_row * Tile::kRows;
  const int first_column = (static_cast<int>(blockIdx.x) - tile_row * tiles_across) * Tile::kColumns;
  for (int row = static_cast<int>(threadIdx.x); row < Tile::kRows; row += Tile::kThreads) {
    windows[row] = window_of(operands.windows, first_row + row);
  }
  __syncthreads();

  const int steps = (operands.windows.depth_chunks() + kStepChunks - 1) / kStepChunks;
  const int first_step = static_cast<int>(blockIdx.y) * operands.steps_per_split;
  WarpProduct<T, Tile> product;
  multiply_steps(operands, stages, windows, first_column, first_step,
                 min(first_step + operands.steps_per_split, steps), product);

  if (operands.partial_sums == nullptr) {
    auto* const sums = reinterpret_cast<float*>(dynamic_shared());
    product.for_each_pair([&](int row, int column, float2 pair) {
      *reinterpret_cast<float2*>(sums + row * Tile::kSumStride + column) = pair;
    });
    return finish_tile<T, Tile>(operands, epilogue, sums, first_row, first_column);
  }
  product.for_each_pair([&](int row, int column, float2 pair) {
    row += first_row;
    column += first_column;
    if (row >= operands.windows.count || column >= operands.partial_stride) return;
    const int64_t line = static_cast<int64_t>(blockIdx.y) * operands.windows.count + row;
    *reinterpret_cast<float2*>(operands.partial_sums + line * operands.partial_stride + column) = pair;
  });
}

}  // namespace ipai::cuda
