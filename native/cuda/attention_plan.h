// Sizes of attention's tiles on the tensor cores, by the size of heads. Other sizes, see
// attention_any_head.h.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "cuda/grid.h"

namespace ipai::cuda {

// A warp takes `tiles` tiles of 16 queries, against `keys` keys at a time, of which `stages` blocks are in
// shared memory or on their way there. `blocks` of 4 warps share a multiprocessor, which leaves a thread
// 65536 / (128 · blocks) registers. Of these, a tile takes D / 2 for sums, D / 4 for queries and keys / 2 for
// scores.
struct AttentionPlan {
  int tiles;
  int keys;
  int stages;
  int blocks;
};

// What a block can have of shared memory on each device from compute capability 8.0 on.
inline constexpr size_t kSharedBytesOfAnyDevice = 99 * 1024;

inline constexpr int kAttentionWarps = 4;
inline constexpr int kAttentionThreads = 32 * kAttentionWarps;

// Of two tiles, each key and value that a warp reads from shared memory serves 32 queries: with 16, that way
// is as long as the tensor cores' on compute capability 8.0, and longer on 9.0. It takes many queries to fill
// the device with them, and registers that heads of 128 and more do not leave.
// Both widths take keys in blocks of the same size, so that a query's bits do not depend on the choice.
enum class TileWidth { kNarrow, kWide };

struct AttentionPlans {
  int head_size;
  AttentionPlan narrow;
  AttentionPlan wide;  // as narrow: none
};

//                      D    tiles keys stages blocks
inline constexpr AttentionPlans kAttentionPlans[] = {
    {16, {1, 64, 3, 4}, {2, 64, 2, 3}},    // the small model's UNet, likewise 24 and 32
    {24, {1, 64, 3, 4}, {2, 64, 2, 3}},    //
    {32, {1, 64, 3, 4}, {2, 64, 2, 3}},    //
    {40, {1, 64, 3, 4}, {2, 64, 2, 3}},    // UNet, 320 channels
    {64, {1, 64, 3, 3}, {2, 64, 2, 2}},    // CLIP's text, resampler
    {80, {1, 64, 3, 3}, {2, 64, 2, 2}},    // UNet, 640 channels; CLIP's image encoder
    {88, {1, 64, 3, 3}, {2, 64, 2, 2}},    //
    {128, {1, 64, 2, 2}, {1, 64, 2, 2}},   //
    {160, {1, 32, 3, 2}, {1, 32, 3, 2}}};  // UNet, 1280 channels

constexpr int kAttentionPlanCount = sizeof(kAttentionPlans) / sizeof(kAttentionPlans[0]);

constexpr AttentionPlans attention_plans(int head_size) {
  for (const AttentionPlans& plans : kAttentionPlans) {
    if (plans.head_size == head_size) return plans;
  }
  return {};
}
template <int kHead, TileWidth kWidth>
inline constexpr AttentionPlan kAttentionPlan = kWidth == TileWidth::kWide ? attention_plans(kHead).wide
                                                                           : attention_plans(kHead).narrow;
constexpr bool has_wide_plan(int head_size) {
  return attention_plans(head_size).wide.tiles > attention_plans(head_size).narrow.tiles;
}

// Whether wide tiles are expected to be through with queries of so many heads first: by the tiles that a
// multiprocessor takes one after another, in whole waves of blocks. For mma.sync of a wide tile it takes 4/5
// of the time that a narrow one's keys and values are on their way from shared memory (compute capability
// 9.0: 1.6 cycles for m16n8k16, of which 256 bytes are a key's or value's, at 128 a cycle).
inline bool prefers_wide(const AttentionPlans& plans, int64_t heads, int64_t queries, int multiprocessors) {
  const auto duration = [&](const AttentionPlan& plan, int64_t of_tile) {
    const int64_t blocks = heads * ceil_divide(queries, kAttentionWarps * 16 * plan.tiles);
    return ceil_divide(blocks, int64_t{multiprocessors} * plan.blocks) * plan.blocks * plan.tiles * of_tile;
  };
  return duration(plans.wide, 4) < duration(plans.narrow, 5);
}

// body(std::integral_constant<int, head size>) for the head size of the table.
template <class Body, int kIndex = 0>
void with_head_size(int64_t head_size, Body&& body) {
  if constexpr (kIndex < kAttentionPlanCount) {
    constexpr int kHead = kAttentionPlans[kIndex].head_size;
    if (head_size == kHead) return body(std::integral_constant<int, kHead>());
    with_head_size<Body, kIndex + 1>(head_size, std::forward<Body>(body));
  }
}

constexpr bool has_attention_plan(int64_t head_size) {
  return attention_plans(static_cast<int>(head_size)).head_size != 0;
}

}  // namespace ipai::cuda
