// How a 3x3 convolution of stride 1 by Winograd's algorithm is cut up: tiles of kOut x kOut outputs, strips
// of tiles that are transformed at a time, tasks of a strip's products, and chunks of their depth.
#pragma once

#include <algorithm>

#include "cpu/gemm.h"
#include "cpu/picture_rows.h"
#include "cpu/winograd_kernels.h"

namespace ipai::IPAI_TARGET {

// Transformed pictures of a strip: they stay in the L3 cache while the panels of weights run past them.
inline constexpr int64_t kStripBytes = int64_t{4} << 20;
// Products of a task, and these with the transformed kernels of a chunk of channels: both stay in the L2.
inline constexpr int64_t kProductBytes = int64_t{384} << 10;
inline constexpr int64_t kTaskBytes = int64_t{704} << 10;
// Pixels of a row that go through the epilogue together, at most.
inline constexpr int64_t kRunPixels = 32;

template <int kOut>
struct WinogradPlan {
  using Transform = WinogradTransform<kOut>;
  static constexpr int64_t kPositions = Transform::kPositions;
  static constexpr int64_t kRunTiles = kRunPixels / kOut;
  static constexpr int64_t kFloat = sizeof(float);
  static constexpr int64_t kCacheLine = 64 / kFloat;

  // Sets of an L1 are picked by the low bits of a line's number: at a distance of an odd number of lines, the
  // positions of a tile are spread over all sets.
  static int64_t odd_lines(int64_t floats) { return (divide_up(floats, kCacheLine) | 1) * kCacheLine; }

  WinogradPlan(const ConvGeometry& geometry, bool kernels_held)
      : tiles_y(divide_up(geometry.out_height, kOut)),
        tiles_x(divide_up(geometry.out_width, kOut)),
        tiles(geometry.batch * tiles_y * tiles_x),
        row_stride(odd_lines(geometry.channels)),
        strips(std::min(tiles, divide_up(tiles * kPositions * row_stride * kFloat, kStripBytes))) {
    const int64_t bytes_of_tile = kPositions * kTileColumns * kFloat;
    const int64_t row_panels = std::max<int64_t>(1, kProductBytes / (bytes_of_tile * kTileRows));
    block_tiles = row_panels * kTileRows;
    // Each strip transforms its kernels again, which takes many tiles to outweigh.
    if (!kernels_held) strips = std::min(strips, divide_up(tiles, block_tiles));
    strip_tiles = divide_up(tiles, strips);
    // Of a full block, however few tiles there are: a chunk's sum is a term of its output's, and a sample's
    // bits do not depend on its company.
    const int64_t bytes_left = kTaskBytes - block_tiles * bytes_of_tile;
    chunks =
        kernels_held ? 1 : divide_up(geometry.channels, std::max<int64_t>(1, bytes_left / bytes_of_tile));
    block_tiles = std::min(block_tiles, strip_tiles);
    chunk_channels = kernels_held ? 0 : divide_up(geometry.channels, chunks);
    position_stride = odd_lines(strip_tiles * row_stride);
    product_stride = odd_lines(block_tiles * kTileColumns);
    kernel_stride = odd_lines(chunk_channels * kTileColumns);
  }

  Range strip(int64_t index) const { return part_of(tiles, strips, index); }
  int64_t strip_floats() const { return kPositions * position_stride; }
  int64_t product_floats() const { return kPositions * product_stride; }
  int64_t kernel_floats() const { return kPositions * kernel_stride; }
  // A thread's products, transformed kernels, and the outputs of a run of tiles.
  int64_t thread_floats() const {
    return product_floats() + kernel_floats() + kOut * kOut * kRunTiles * kTileColumns;
  }
  // A line of zeros stands in for pixels beyond the picture.
  size_t scratch_bytes(int thread_count) const {
    return static_cast<size_t>((strip_floats() + thread_floats() * thread_count + row_stride) * kFloat);
  }

  int64_t tiles_y, tiles_x, tiles;  // all samples together
  int64_t row_stride;               // of a tile's channels in the transformed strip
  int64_t strips, strip_tiles;      // strip_tiles: of the longest strip
  int64_t block_tiles;              // of a task, at most
  int64_t chunks, chunk_channels;   // chunk_channels: of the longest chunk, 0 where none is transformed
  // From position to position in the transformed strip, a task's products and its kernels, in floats.
  int64_t position_stride, product_stride, kernel_stride;
};

}  // namespace ipai::IPAI_TARGET
