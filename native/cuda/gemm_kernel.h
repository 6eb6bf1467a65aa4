// The product of windows and weights on the tensor cores, for linear layers and convolutions alike.
//
// A block's operands pass through kStages buffers of shared memory: while a step is being multiplied, those
// of the next ones are on their way (cp.async). Sums stay in registers until the depth is done; then
// they go through shared memory, in place of the operands, to be finished in whole vectors of a row.
#pragma once

#include "cuda/gemm_epilogue.h"
#include "cuda/gemm_group_product.h"
#include "cuda/gemm_warp_product.h"

namespace ipai::cuda {

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

// Product is WarpProduct or GroupProduct.
template <class T, class Tile, class Product>
__device__ void multiply_tile(const GemmOperands<T>& operands, const Epilogue<T>& epilogue,
                              std::byte* shared) {
  T* const stages = reinterpret_cast<T*>(shared);
  auto* const windows = reinterpret_cast<Window*>(shared + Tile::kStagesBytes);
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
  const int last_step = min(first_step + operands.steps_per_split, steps);
  Product product;
  StepLoader<T, Tile> loader(operands, stages, windows, first_column, first_step, last_step);
  multiply_steps(loader, stages, last_step - first_step, product);

  if (operands.partial_sums == nullptr) {
    auto* const sums = reinterpret_cast<float*>(shared);
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

template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads)
    gemm_warp_tiles(const GemmOperands<T> operands, const Epilogue<T> epilogue) {
  multiply_tile<T, Tile, WarpProduct<T, Tile>>(operands, epilogue, dynamic_shared());
}

// On compute capability 9.0.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kThreads)
    gemm_group_tiles(const GemmOperands<T> operands, const Epilogue<T> epilogue) {
  if constexpr (kHasGroupProducts) {
    multiply_tile<T, Tile, GroupProduct<T, Tile>>(operands, epilogue, shared_matrices());
  }
}

}  // namespace ipai::cuda
