// How group_norm splits x among blocks on CUDA. A block takes a slice of neighbouring channels, which is
// whole groups and whole vectors, of a chunk of one sample's positions.
#pragma once

#include <algorithm>
#include <numeric>

#include "ops/group_norm/op.h"

namespace ipai::cuda {

inline constexpr int kGroupNormThreads = 256;
// Blocks that a multiprocessor holds at once, which leaves a thread 64 registers.
inline constexpr int kGroupNormBlocks = 4;
// Groups of one slice: at most 8 where the slice is the smallest possible, else fewer than 2 · 128 bytes of
// channels.
inline constexpr int kGroupNormMaxGroups = 128;

struct GroupNormPlan {
  // Samples of so few positions are normalised by one kernel, whose blocks meet x a second time in the cache.
  static constexpr int64_t kMaxSinglePositions = 256;
  // Bytes of a position that a block should at least read.
  static constexpr int64_t kSliceBytes = 128;
  // Positions that each of a block's threads should at least take.
  static constexpr int64_t kThreadPositions = 4;
  // Each block that normalises reads the moments of all chunks.
  static constexpr int64_t kMaxChunks = 128;
  // Positions that a block counts in 32 bits.
  static constexpr int64_t kMaxChunk = int64_t{1} << 30;

  GroupNormPlan(const GroupNorm& attributes, const TensorType& x, const DeviceTraits& device)
      : samples(x.shape[0]),
        positions(x.shape.size(1, x.shape.rank() - 1)),
        channels(x.shape[-1]),
        groups(attributes.groups),
        lanes(16 / static_cast<int64_t>(dtype_size(x.dtype))) {
    if (channels % lanes != 0 || std::lcm(width(), lanes) / lanes > kGroupNormThreads) lanes = 1;
    slice = std::lcm(width(), lanes);
    chunk = std::min(positions, kMaxChunk);
    if (positions > kMaxSinglePositions) {
      const int64_t bytes = slice * static_cast<int64_t>(dtype_size(x.dtype));
      slice = std::min(channels, slice * divide_up(kSliceBytes, bytes));
      const int64_t smallest = std::max<int64_t>(1, kGroupNormThreads / columns()) * kThreadPositions;
      const int64_t resident = int64_t{device.multiprocessors} * kGroupNormBlocks;
      const int64_t wanted = std::clamp<int64_t>(resident / (samples * slices()), 1, kMaxChunks);
      chunk = std::min(chunk, std::max(divide_up(positions, wanted), smallest));
    }
  }

  int64_t width() const { return channels / groups; }
  int64_t columns() const { return slice / lanes; }
  int64_t slices() const { return divide_up(channels, slice); }
  int64_t chunks() const { return divide_up(positions, chunk); }
  int64_t blocks() const { return samples * chunks() * slices(); }
  bool is_single() const { return chunks() == 1; }

  int64_t samples, positions, channels, groups;
  int64_t lanes;  // channels that a thread takes: a vector of 16 bytes, or one
  int64_t slice;  // channels of a block
  int64_t chunk;  // positions of a block

 private:
  static int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
};

}  // namespace ipai::cuda
