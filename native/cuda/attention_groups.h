// Attention by warpgroups, on compute capability 9.0: products by wgmma, which reads keys and values from
// shared memory itself, each for 64 queries at a time. What attention_queries.h and attention_state.h say of
// a warp's queries, of one tile, holds for each warp of the group. A query's bits depend neither on the shape
// of blocks nor on their number.
//
// Of heads of 40 with 4096 keys, products take 1/4 of the time, exponentials 2/5, and copies, by cp.async, do
// not hide beside them: without any, 61 µs would do in place of 80 (H100, 8 heads). Rows of 128 bytes in
// shared memory are what makes them no slower: where each token's chunks lay apart, they took twice as long.
#pragma once

#include <array>

#include "cuda/attention_key_ring.h"
#include "cuda/attention_state.h"
#include "cuda/wgmma.h"

namespace ipai::cuda {

// Keys of a block. The text of Stable Diffusion, 77 tokens, is one.
inline constexpr int kGroupKeys = 80;

// Of a block: `groups` warpgroups, `copiers` more threads that bring in keys, where the groups, too few on a
// multiprocessor to hide it, do not, and `blocks` of a multiprocessor, which limits a thread's registers.
struct GroupShape {
  int groups;
  int copiers;
  int blocks;

  __host__ __device__ constexpr int threads() const { return groups * kGroupThreads + copiers; }
  __host__ __device__ constexpr int queries() const { return groups * kGroupRows; }
};

// The most queries first: what they share of keys need be brought in once.
template <int kHead>
inline constexpr std::array<GroupShape, 0> kGroupShapes = {};
template <>
inline constexpr std::array<GroupShape, 2> kGroupShapes<40> = {{{2, 0, 2}, {1, 0, 2}}};
template <>
inline constexpr std::array<GroupShape, 2> kGroupShapes<80> = {{{2, 0, 1}, {1, 128, 1}}};
template <>
inline constexpr std::array<GroupShape, 2> kGroupShapes<160> = {{{2, 0, 1}, {1, 128, 1}}};

template <int kHead>
inline constexpr bool kHasGroupShapes = !kGroupShapes<kHead>.empty();

// Of the ring of keys.
template <int kHead>
inline constexpr int kGroupStages = kHead > 128 ? 3 : 4;

template <class T, int kHead, int kKeys, int kThreads, int kFirstThread = 0>
using GroupKeyRing =
    KeyRing<T, kHead, kKeys, kGroupStages<kHead>, kThreads, ColumnBlocks<T, kKeys, kHead>, kFirstThread>;

// Makes the chunk that heads of a whole number and a half of steps have not, and that no copy writes, zeros
// in all of a ring's stages: products take it times 0. All threads of the block; a barrier is to follow.
template <int kHead, int kKeys, class T>
__device__ inline void clear_half_steps(T* ring, int stages) {
  using Tokens = ColumnBlocks<T, kKeys, kHead>;
  if constexpr (kHead % 16 != 0) {
    for (int i = static_cast<int>(threadIdx.x); i < 2 * stages * kKeys; i += static_cast<int>(blockDim.x)) {
      T* const chunk =
          ring + i / kKeys * (kKeys * Tokens::kColumns) + Tokens::chunk(i % kKeys, Tokens::kChunks);
      *reinterpret_cast<uint4*>(chunk) = {0, 0, 0, 0};
    }
  }
}

// Starts scores = queries · keysᵀ, of the kKeys keys of a block.
template <int kKeys, class T, int kHead>
__device__ inline void begin_scores(const QueryFragments<T, kHead, 1>& queries, const T* keys,
                                    Scores<1, kKeys>& scores) {
  using Tokens = ColumnBlocks<T, kKeys, kHead>;
  constexpr int kSteps = kHead / 16;
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    multiply_in_group<Tokens, Depth::kAlongColumns>(scores[0], queries.whole[0][step], keys, step, step > 0);
  }
  if constexpr (QueryFragments<T, kHead, 1>::kHasHalfStep) {
    const uint32_t half[4] = {queries.half[0][0], queries.half[0][1], 0, 0};
    multiply_in_group<Tokens, Depth::kAlongColumns>(scores[0], half, keys, kSteps, true);
  }
}

// Starts to add a block's kKeys values, by their weights.
template <int kKeys, class T, int kHead>
__device__ inline void begin_sums(const WeightFragments<1, kKeys>& weights, const T* values,
                                  AttentionState<T, kHead, 1>& state) {
  using Tokens = ColumnBlocks<T, kKeys, kHead>;
#pragma unroll
  for (int step = 0; step < kKeys / 16; ++step) {
    multiply_in_group<Tokens, Depth::kAlongRows>(state.sums[0], weights[0][step], values, step, true);
  }
}

// One block of keys that stays in shared memory, where else a ring of them is given.
template <class T, int kHead, int kKeys>
class HeldKeys {
 public:
  static constexpr int kTokenElements = kKeys * ColumnBlocks<T, kKeys, kHead>::kColumns;

  __device__ HeldKeys(const T* keys, int count) : keys_(keys), left_(count) {}
  __device__ int left() const { return left_; }
  __device__ const T* next() {
    left_ = 0;
    return keys_;
  }

 private:
  const T* keys_;
  int left_;
};

// Attends to all keys of the ring, of which there are some. A block's values are added while the scores of
// the next one are made; what is carried from one turn of the loop to the next is weights, because sums must
// not be touched while they are added to, not even to be moved.
template <class Ring, class T, int kHead>
__device__ inline void attend_ring(Ring& ring, const QueryFragments<T, kHead, 1>& queries, float factor,
                                   AttentionState<T, kHead, 1>& state) {
  WeightFragments<1, kGroupKeys> weights;
  Scores<1, kGroupKeys> scores;
  const auto weigh = [&](int count) {
    finish_group_products(scores[0], state.sums[0]);
    if (count < kGroupKeys) hide_keys(scores, count);
    state.template weigh<kGroupKeys>(scores, factor, [&](int first, const WeightFragments<1, 16>& some) {
#pragma unroll
      for (int i = 0; i < 4; ++i) weights[0][first / 16][i] = some[0][0][i];
    });
  };
  int left = ring.left();
  const T* keys = ring.next();
  begin_group_products();
  begin_scores<kGroupKeys>(queries, keys, scores);
  weigh(left);
  for (left = ring.left(); left > 0; left = ring.left()) {
    const T* const values = keys + Ring::kTokenElements;
    keys = ring.next();
    begin_group_products();
    begin_scores<kGroupKeys>(queries, keys, scores);
    begin_sums<kGroupKeys>(weights, values, state);
    weigh(left);
  }
  begin_group_products();
  begin_sums<kGroupKeys>(weights, keys + Ring::kTokenElements, state);
  finish_group_products(state.sums[0]);
}

}  // namespace ipai::cuda
