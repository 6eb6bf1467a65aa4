// How a 3x3 convolution of stride 1 by Winograd's algorithm is cut up: tiles of kOut x kOut outputs, strips
// of tiles that are transformed at a time, and tasks of a strip's products.
#pragma once

#include <algorithm>

#include "cpu/gemm.h"
#include "cpu/picture_rows.h"
#include "cpu/winograd_weight.h"

namespace ipai::IPAI_TARGET {

// Transformed pictures of a strip: they stay in the L3 cache while the panels of weights run past them.
inline constexpr int64_t kStripBytes = int64_t{4} << 20;
// Products of a task, which its output transform reads from the L2 cache: half of it.
inline constexpr int64_t kProductBytes = int64_t{512} << 10;
// Tiles of a row that go through the epilogue together.
inline constexpr int64_t kRunTiles = 8;

template <int kOut>
struct WinogradPlan {
  using Transform = WinogradTransform<kOut>;
  static constexpr int kPositions = winograd_positions<kOut>();
  static constexpr int64_t kCacheLine = 64 / sizeof(float);

  // Sets of an L1 are picked by the low bits of a line's number: at a distance of an odd number of lines, the
  // positions of a tile are spread over all sets.
  static int64_t odd_lines(int64_t floats) { return (divide_up(floats, kCacheLine) | 1) * kCacheLine; }

  explicit WinogradPlan(const ConvGeometry& geometry)
      : tiles_y(divide_up(geometry.out_height, kOut)),
        tiles_x(divide_up(geometry.out_width, kOut)),
        tiles(geometry.batch * tiles_y * tiles_x),
        row_stride(odd_lines(geometry.channels)),
        block_tiles(std::min(
            tiles, std::max<int64_t>(
                       1, kProductBytes / (kPositions * kTileColumns * int64_t{sizeof(float)} * kTileRows)) *
                       kTileRows)) {
    const int64_t tile_bytes = kPositions * row_stride * static_cast<int64_t>(sizeof(float));
    strips = std::min(tiles, divide_up(tiles * tile_bytes, kStripBytes));
    strip_tiles = divide_up(tiles, strips);
    block_tiles = std::min(block_tiles, strip_tiles);
    position_stride = odd_lines(strip_tiles * row_stride);
    product_stride = odd_lines(block_tiles * kTileColumns);
  }

  Range strip(int64_t index) const { return part_of(tiles, strips, index); }
  int64_t strip_bytes() const { return kPositions * position_stride * static_cast<int64_t>(sizeof(float)); }
  // A thread's products, and the outputs of a run of tiles.
  int64_t products_floats() const { return kPositions * product_stride; }
  int64_t thread_bytes() const {
    return (products_floats() + kOut * kOut * kRunTiles * kTileColumns) * static_cast<int64_t>(sizeof(float));
  }
  // A line of zeros stands in for pixels beyond the picture.
  size_t scratch_bytes(int thread_count) const {
    return static_cast<size_t>(strip_bytes() + thread_bytes() * thread_count +
                               row_stride * static_cast<int64_t>(sizeof(float)));
  }

  int64_t tiles_y, tiles_x, tiles;  // all samples together
  int64_t row_stride;               // of a tile's channels in the transformed strip, in floats
  int64_t block_tiles;              // of a task, at most
  int64_t strips, strip_tiles;      // strip_tiles: of the longest strip
  int64_t position_stride;          // in the transformed strip, in floats
  int64_t product_stride;           // from position to position of a task's products, in floats
};

}  // namespace ipai::IPAI_TARGET
