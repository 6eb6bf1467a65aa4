// The shapes of tiles that products are built for. A block computes a tile kRows x kColumns of the result in
// steps of 64 of the depth, of which kStages are in shared memory at once; each of its warps has a part
// kWarpRows x kWarpColumns in registers.
#pragma once

#include <cstddef>

#include "cuda/window_rows.h"

namespace ipai::cuda {

template <int kRows_, int kColumns_, int kWarpRows_, int kWarpColumns_, int kStages_>
struct GemmTile {
  static constexpr int kRows = kRows_, kColumns = kColumns_;
  static constexpr int kWarpRows = kWarpRows_, kWarpColumns = kWarpColumns_;
  static constexpr int kStages = kStages_;
  static constexpr int kThreads = kRows / kWarpRows * (kColumns / kWarpColumns) * kWarpSize;
  // Elements of a stage: the windows' tile, then the weight's.
  static constexpr int kWindowElements = kRows * kStepDepth;
  static constexpr int kStageElements = (kRows + kColumns) * kStepDepth;
  // Finished sums, float32, take the place of the stages. With rows of 32·n + 8 floats, half a warp, which
  // writes 4 rows by 4 pairs at once, meets no bank twice.
  static constexpr int kSumStride = kColumns + 8;
  static constexpr size_t kStagesBytes = size_t{2} * kStageElements * kStages;
  static constexpr size_t kSharedBytes = kStagesBytes + kRows * sizeof(Window);

  static_assert(kWarpRows % 16 == 0 && kWarpColumns % 16 == 0 && kColumns % 32 == 0, "warps take whole mma");
  static_assert(kRows * kSumStride * sizeof(float) <= kStagesBytes, "the sums fit in place of the stages");
};

// Blocks of the wide tiles have a multiprocessor to themselves; of the narrow ones, 2 or 3 fit on one.
// Columns of 160 suit the UNet, whose 320, 640 and 1280 channels then fill 128 of 132 multiprocessors.
using Tile256x128 = GemmTile<256, 128, 64, 64, 3>;
using Tile128x160 = GemmTile<128, 160, 32, 80, 4>;
using Tile128x128 = GemmTile<128, 128, 64, 32, 3>;
using Tile128x64 = GemmTile<128, 64, 64, 32, 3>;
using Tile64x64 = GemmTile<64, 64, 32, 32, 4>;
// Of groups' products, where registers let two of these blocks share a multiprocessor: one begins or ends
// while the other multiplies.
using Tile128x160Pair = GemmTile<128, 160, 32, 80, 3>;

enum class GemmTileShape { k256x128, k128x160, k128x160Pair, k128x128, k128x64, k64x64 };

struct GemmTileSize {
  GemmTileShape shape;
  int rows, columns;
  size_t shared_bytes;
  int blocks;  // that a multiprocessor takes at once, as plans count
};
template <class Tile>
constexpr GemmTileSize size_of_tile(GemmTileShape shape, int blocks = 1) {
  return {shape, Tile::kRows, Tile::kColumns, Tile::kSharedBytes, blocks};
}

// Those of the products of single warps (mma.h), and those of warpgroups' (wgmma.h).
inline constexpr GemmTileSize kWarpTiles[] = {
    size_of_tile<Tile256x128>(GemmTileShape::k256x128), size_of_tile<Tile128x160>(GemmTileShape::k128x160),
    size_of_tile<Tile128x128>(GemmTileShape::k128x128), size_of_tile<Tile128x64>(GemmTileShape::k128x64),
    size_of_tile<Tile64x64>(GemmTileShape::k64x64)};
inline constexpr GemmTileSize kGroupTiles[] = {size_of_tile<Tile128x160>(GemmTileShape::k128x160),
                                               size_of_tile<Tile128x160Pair>(GemmTileShape::k128x160Pair, 2),
                                               size_of_tile<Tile64x64>(GemmTileShape::k64x64, 3)};

template <class Body>
void with_warp_tile(GemmTileShape shape, Body&& body) {
  switch (shape) {
    case GemmTileShape::k256x128:
      return body(Tile256x128());
    case GemmTileShape::k128x160:
      return body(Tile128x160());
    case GemmTileShape::k128x128:
      return body(Tile128x128());
    case GemmTileShape::k128x64:
      return body(Tile128x64());
    default:
      return body(Tile64x64());
  }
}

template <class Body>
void with_group_tile(GemmTileShape shape, Body&& body) {
  switch (shape) {
    case GemmTileShape::k128x160:
      return body(Tile128x160());
    case GemmTileShape::k128x160Pair:
      return body(Tile128x160Pair());
    default:
      return body(Tile64x64());
  }
}

}  // namespace ipai::cuda
