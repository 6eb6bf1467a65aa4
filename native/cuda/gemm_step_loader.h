// What a product reads, and how a block brings it to shared memory, step by step of the depth.
#pragma once

#include "cuda/gemm_tile.h"
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

// Brings the operands of one step after another. Each step is a group of copies, also where there is nothing
// left to copy, so that groups can be counted.
template <class T, class Tile>
class StepLoader {
 public:
  __device__ StepLoader(const GemmOperands<T>& operands, T* stages, const Window* windows, int first_column,
                        int first_step, int last_step)
      : windows_(operands.windows, operands.picture, windows, first_step),
        weights_(operands.weight, first_column, operands.columns - first_column,
                 operands.windows.depth_chunks(), first_step),
        stages_(stages),
        left_(last_step - first_step) {}

  // Starts to copy the present step.
  __device__ void copy(int stage) {
    T* const target = stages_ + stage * Tile::kStageElements;
    windows_.load(target, left_ > 0);
    weights_.load(target + Tile::kWindowElements, left_ > 0);
    commit_copies();
  }
  __device__ void go_on() {
    windows_.advance();
    weights_.advance();
    --left_;
  }

 private:
  WindowLoader<T, Tile::kRows, Tile::kThreads> windows_;
  WeightLoader<T, Tile::kColumns, Tile::kThreads> weights_;
  T* stages_;
  int left_;
};

}  // namespace ipai::cuda
