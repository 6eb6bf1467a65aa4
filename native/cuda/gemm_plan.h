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

// The plan of the fewest estimated cycles. A step of a tile costs a multiprocessor what its products cost the
// tensor cores (mma.sync comes to about 1024 multiplications and additions a cycle, on compute capability 8.0
// as on 9.0) or what its operands cost the L2 cache, whichever is more; all blocks of a wave end together.
inline GemmPlan plan_gemm(int64_t rows, int64_t columns, int64_t depth_chunks, const DeviceTraits& device) {
  constexpr int64_t kMultiplyAddsPerCycle = 1024;
  constexpr int64_t kBytesPerCycle = 28;    // from the L2 cache to each multiprocessor
  constexpr int64_t kStartCycles = 1500;    // of a block, until its first operands are there
  constexpr int64_t kOutputsPerCycle = 16;  // of a block, when its sums are finished
  constexpr int64_t kSecondPassCycles = 3500;
  constexpr int64_t kMostSplits = 16;
  const int64_t multiprocessors = std::max(device.multiprocessors, 1);
  const int64_t steps = ceil_divide(depth_chunks, kStepChunks);

  GemmPlan best{GemmTileShape::k64x64, 1, static_cast<int>(steps)};
  int64_t fewest = INT64_MAX;
  for (size_t i = 0; i < std::size(kGemmTiles); ++i) {
    const GemmTileSize& tile = kGemmTiles[i];
    if (tile.shared_bytes > device.shared_bytes_per_block) continue;
    const int64_t tiles = ceil_divide(rows, tile.rows) * ceil_divide(columns, tile.columns);
    const int64_t step_cycles =
        std::max<int64_t>(int64_t{tile.rows} * tile.columns * kStepDepth / kMultiplyAddsPerCycle,
                          int64_t{tile.rows + tile.columns} * kStepDepth * 2 / kBytesPerCycle);
    for (int64_t wanted = 1; wanted <= std::min(kMostSplits, steps); ++wanted) {
      const int64_t steps_per_split = ceil_divide(steps, wanted);
      const int64_t splits = ceil_divide(steps, steps_per_split);
      const int64_t waves = ceil_divide(tiles * splits, multiprocessors);
      int64_t cycles = waves * (kStartCycles + steps_per_split * step_cycles +
                                tile.rows * tile.columns / kOutputsPerCycle);
      if (splits > 1) {
        const int64_t bytes = splits * rows * columns * 2 * int64_t{sizeof(float)};
        cycles += kSecondPassCycles + bytes / (kBytesPerCycle * multiprocessors);
      }
      if (cycles >= fewest) continue;
      fewest = cycles;
      best = {static_cast<GemmTileShape>(i), static_cast<int>(splits), static_cast<int>(steps_per_split)};
    }
  }
  return best;
}

}  // namespace ipai::cuda
