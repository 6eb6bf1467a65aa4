// Packed GEMM: epilogue(A · Wᵀ), W packed beforehand, A brought into panels on the way by a row source.
//
// The result is cut into tasks of up to kMaxRowPanels x kMaxColumnPanels tiles. A task walks through depth in
// blocks; for each block it packs one panel of A at a time (into the L1) and multiplies it with the task's
// panels of W (which stay in the L2 for all its row panels). Sums of depth blocks meet in the task's
// accumulators.
//
// How depth is cut follows from depth alone and every output is summed by one thread in that order: bits
// depend neither on the number of threads nor on the other rows.
#pragma once

#include <algorithm>

#include "cpu/epilogue.h"
#include "cpu/micro_kernel.h"
#include "cpu/packed_weight.h"

namespace ipai::IPAI_TARGET {

// Longest run of depth that is summed in registers: an A panel of 14 rows is then 21 KiB of a 32 KiB L1.
inline constexpr int64_t kDepthBlockBytes = 384 * sizeof(float);
// One cache line more than the block, or else the rows of a panel would compete for the same few sets of the
// L1.
inline constexpr int64_t kPanelStrideBytes = kDepthBlockBytes + 64;
// W: 12 panels x 384 x 32 floats = 576 KiB of a 1 MiB L2; accumulators of 16 x 12 tiles: 336 KiB.
inline constexpr int64_t kMaxRowPanels = 16;
inline constexpr int64_t kMaxColumnPanels = 12;

// Bytes of an element in panels of A.
inline int64_t left_bytes(DType dtype) {
  return dtype == DType::kBFloat16 ? sizeof(Left<BFloat16>) : sizeof(float);
}

struct GemmPlan {
  int64_t rows;
  int64_t row_panels;
  int64_t row_blocks;
  int64_t column_panels;
  int64_t column_blocks;
  int64_t depth_steps;  // of the product's unit each
  int64_t depth_blocks;

  GemmPlan(DType dtype, int64_t row_count, const PackedWeight& weight, int thread_count)
      : rows(row_count),
        row_panels(divide_up(row_count, kTileRows)),
        row_blocks(divide_up(row_panels, kMaxRowPanels)),
        column_panels(weight.panels()),
        column_blocks(divide_up(column_panels, kMaxColumnPanels)),
        depth_steps(divide_up(weight.depth, weight.unit)),
        depth_blocks(divide_up(weight.depth * left_bytes(dtype), kDepthBlockBytes)) {
    // Enough tasks to keep the threads level. Splitting columns costs a second packing of A, splitting rows a
    // second pass over W, which is what the small row counts of deep layers wait for: columns first, down to
    // 4 panels.
    const int64_t wanted = thread_count > 1 ? 4 * thread_count : 1;
    if (row_blocks * column_blocks < wanted) {
      column_blocks = std::clamp(divide_up(wanted, row_blocks), column_blocks,
                                 std::max(column_blocks, column_panels / 4));
      row_blocks = std::clamp(divide_up(wanted, column_blocks), row_blocks, row_panels);
    }
    row_blocks = std::min(divide_up(row_blocks, thread_count) * thread_count, row_panels);
  }

  int64_t tasks() const { return row_blocks * column_blocks; }
  // Tiles that a task keeps: one, when depth needs no second block.
  int64_t accumulator_tiles() const {
    return depth_blocks == 1 ? 1
                             : divide_up(row_panels, row_blocks) * divide_up(column_panels, column_blocks);
  }
  static constexpr int64_t kPanelBytes = kTileRows * kPanelStrideBytes;
  int64_t thread_bytes() const {
    return kPanelBytes + accumulator_tiles() * kTileRows * kTileColumns * int64_t{sizeof(float)};
  }
  size_t scratch_bytes(int thread_count) const { return static_cast<size_t>(thread_bytes() * thread_count); }
};

// Packs the part [first, first + depth) of so many rows, filled up with zeros to whole units.
template <class T, class Rows>
void pack_panel(const Rows& rows, Range panel_rows, const PackedWeight& weight, Range depth, Left<T>* panel) {
  constexpr int64_t kStride = kPanelStrideBytes / sizeof(Left<T>);
  const int row_count = static_cast<int>(panel_rows.size());
  const int64_t end = std::min(depth.end, weight.depth);
  rows.pack(panel_rows.begin, row_count, depth.begin, end - depth.begin, panel, kStride);
  for (int r = 0; r < row_count && end < depth.end; ++r) {
    panel[r * kStride + end - depth.begin] = Left<T>{};
  }
}

// `Rows` has `void pack(int64_t first_row, int rows, int64_t first_depth, int64_t depth, Left<T>* panel,
// int64_t panel_stride) const`, which writes that part of A, row r to panel + r·panel_stride, and a
// `prefetch` of the first four, which asks for that part.
template <class T, class Rows>
void run_gemm(const GemmPlan& plan, const Rows& rows, const PackedWeight& weight, const T* packed,
              const Epilogue<T>& epilogue, CpuContext& context) {
  constexpr int64_t kTileSize = int64_t{kTileRows} * kTileColumns;
  constexpr int64_t kStride = kPanelStrideBytes / sizeof(Left<T>);
  context.parallel_for(plan.tasks(), [&](int64_t task, int thread) {
    std::byte* const memory = context.scratch() + thread * plan.thread_bytes();
    auto* const a_panel = reinterpret_cast<Left<T>*>(memory);
    auto* const accumulators = reinterpret_cast<float*>(memory + GemmPlan::kPanelBytes);
    const Range row_panels = part_of(plan.row_panels, plan.row_blocks, task % plan.row_blocks);
    const Range column_panels = part_of(plan.column_panels, plan.column_blocks, task / plan.row_blocks);
    for (int64_t block = 0; block < plan.depth_blocks; ++block) {
      const Range steps = part_of(plan.depth_steps, plan.depth_blocks, block);
      const Range depth{steps.begin * weight.unit, steps.end * weight.unit};
      float* tile = accumulators;
      for (int64_t i = row_panels.begin; i < row_panels.end; ++i) {
        const Range panel_rows = part_of(plan.rows, plan.row_panels, i);
        const int row_count = static_cast<int>(panel_rows.size());
        pack_panel<T>(rows, panel_rows, weight, depth, a_panel);
        const Range next = i + 1 < row_panels.end ? part_of(plan.rows, plan.row_panels, i + 1) : Range{0, 0};
        for (int64_t j = column_panels.begin; j < column_panels.end; ++j) {
          const int vecs = weight.vecs_in(j);
          const T* b = packed + weight.panel_offset(j) + depth.begin * vecs * Vec::kLanes;
          const Range share = part_of(next.size(), column_panels.size(), j - column_panels.begin);
          rows.prefetch(next.begin + share.begin, share.size(), depth.begin, depth.size());
          if (block == plan.depth_blocks - 1) epilogue.prefetch(panel_rows.begin, row_count, weight, j);
          micro_kernel<T>(row_count, vecs)(a_panel, kStride, b, depth.size(), tile, block > 0);
          if (block == plan.depth_blocks - 1) epilogue.finish(tile, panel_rows.begin, row_count, weight, j);
          if (plan.depth_blocks > 1) tile += kTileSize;
        }
      }
    }
  });
}

}  // namespace ipai::IPAI_TARGET
