// Which tile a product takes, and whether its depth is split among blocks.
#pragma once

#include <algorithm>

#include "cuda/gemm_tile.h"
#include "cuda/grid.h"
#include "runtime/device_traits.h"

namespace ipai::cuda {

struct GemmPlan {
  GemmTileShape tile = GemmTileShape::k64x64;
  // Blocks that share a tile: each takes so many steps of the depth, the last one what is left. With more
  // than one, their sums go through scratch memory to a second kernel.
  int splits = 1;
  int steps_per_split = 1;
};

// What products cost a multiprocessor, in cycles or per cycle.
struct GemmCosts {
  int64_t multiply_adds;  // per cycle, by the tensor cores
  int64_t bytes;          // per cycle, from the L2 cache
  int64_t start;          // of a block, until its first operands are there
  int64_t outputs;        // per cycle, when a block's sums are finished
  int64_t second_pass;    // where the depth is split
  int64_t second_bytes;   // per cycle, to it and from it
};

// mma.sync comes to about 1024 multiplications and additions a cycle, on compute capability 8.0 as on 9.0.
inline constexpr GemmCosts kWarpCosts = {1024, 28, 1500, 16, 3500, 28};
// Fitted to an H100's times of the UNet's products (bench/native/gemm_sweep.cpp), of which plans by these
// costs take 1 % more than the best ones on average.
inline constexpr GemmCosts kGroupCosts = {1024, 50, 1500, 16, 3000, 35};

// The plan of the fewest estimated cycles. A step of a tile costs a multiprocessor what its products cost the
// tensor cores or what its operands cost the L2 cache, whichever is more; blocks that share it begin and end
// at the same time, and all blocks of a wave end together.
inline GemmPlan plan_gemm(int64_t rows, int64_t columns, int64_t depth_chunks, const DeviceTraits& device) {
  constexpr int64_t kMostSplits = 16;
  const bool by_groups = has_group_products(device);
  const GemmCosts& costs = by_groups ? kGroupCosts : kWarpCosts;
  const int64_t multiprocessors = std::max(device.multiprocessors, 1);
  const int64_t steps = ceil_divide(depth_chunks, kStepChunks);

  GemmPlan best{GemmTileShape::k64x64, 1, static_cast<int>(steps)};
  int64_t fewest = INT64_MAX;
  const auto consider = [&](const GemmTileSize& tile) {
    if (tile.shared_bytes > device.shared_bytes_per_block) return;
    const int64_t tiles = ceil_divide(rows, tile.rows) * ceil_divide(columns, tile.columns);
    const int64_t step_cycles =
        std::max<int64_t>(int64_t{tile.rows} * tile.columns * kStepDepth / costs.multiply_adds,
                          int64_t{tile.rows + tile.columns} * kStepDepth * 2 / costs.bytes);
    for (int64_t wanted = 1; wanted <= std::min(kMostSplits, steps); ++wanted) {
      const int64_t steps_per_split = ceil_divide(steps, wanted);
      const int64_t splits = ceil_divide(steps, steps_per_split);
      const int64_t blocks = ceil_divide(tiles * splits, multiprocessors);
      int64_t cycles = blocks * steps_per_split * step_cycles +
                       ceil_divide(blocks, tile.blocks) *
                           (costs.start + int64_t{tile.rows} * tile.columns / costs.outputs);
      if (splits > 1) {
        const int64_t bytes = splits * rows * columns * 2 * int64_t{sizeof(float)};
        cycles += costs.second_pass + bytes / (costs.second_bytes * multiprocessors);
      }
      if (cycles >= fewest) continue;
      fewest = cycles;
      best = {tile.shape, static_cast<int>(splits), static_cast<int>(steps_per_split)};
    }
  };
  if (by_groups) {
    for (const GemmTileSize& tile : kGroupTiles) consider(tile);
  } else {
    for (const GemmTileSize& tile : kWarpTiles) consider(tile);
  }
  return best;
}

}  // namespace ipai::cuda
