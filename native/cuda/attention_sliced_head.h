// Attention of one head of 512 channels, the VAE's, whose sums would not fit into a warp's registers.
//
// A block takes 32 queries; each of its 8 warps has a slice of 64 channels of queries, keys, values and sums,
// and brings in its keys and values itself. What warps exchange are scores, 32 keys at a time: each warp's
// part of the products goes through shared memory, then a thread adds the parts of 4 scores, in the order of
// warps, and all warps get the weights. Both lie there as the lanes hold them, so that no bank is met twice.
#pragma once

#include "cuda/attention_operands.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_rows.h"
#include "cuda/attention_state.h"

namespace ipai::cuda {

inline constexpr int kSlicedHead = 512;

template <class T>
struct SlicedHead {
  static constexpr int kWarps = 8;
  static constexpr int kSlice = kSlicedHead / kWarps;
  static constexpr int kTiles = 2;
  static constexpr int kQueries = kTiles * kTileQueries;
  static constexpr int kKeys = 32;
  static constexpr int kFragments = kTiles * kKeys / 8;

  struct Shared {
    T keys[kWarps][kKeys * kSlice];  // first the queries
    T values[kWarps][kKeys * kSlice];
    float4 products[kWarps][kFragments][kWarpSize];
    uint2 weights[kFragments][kWarpSize];
    float corrections[kQueries];  // factors of the sums so far
    float inverses[kQueries];     // factors of the sums in the end
  };
  static_assert(kQueries == kKeys, "queries take the place of keys");
};

// The softmax of the scores of two rows, 8 apart, of which a thread has two neighbouring keys. The 16 threads
// that share the rows differ in bits 0, 1, 3 and 4 of the lane.
struct SlicedSoftmax {
  float maxima[2] = {kLowestScore, kLowestScore};
  float totals[2] = {0, 0};

  template <class Operation>
  __device__ static float reduce(float value) {
    value = warp_reduce<Operation, 4>(value);
    value = Operation::combine(value, __shfl_xor_sync(kWholeWarp, value, 8));
    return Operation::combine(value, __shfl_xor_sync(kWholeWarp, value, 16));
  }

  // Scores of a row become weights; returns the factor of what was summed up before.
  __device__ float take(int half, float& first, float& second) {
    const float maximum = fmaxf(maxima[half], reduce<Max>(fmaxf(first, second)));
    const float correction = exp2_approx(maxima[half] - maximum);
    maxima[half] = maximum;
    first = exp2_approx(first - maximum);
    second = exp2_approx(second - maximum);
    totals[half] = totals[half] * correction + first + second;
    return correction;
  }
};

template <class T>
__global__ void __launch_bounds__(SlicedHead<T>::kWarps* kWarpSize)
    attention_sliced_head(const AttentionOperands<T> x, const AttentionMask mask) {
  using Sizes = SlicedHead<T>;
  static_assert(sizeof(typename Sizes::Shared) <= kSharedBytesOfAnyDevice, "fits every device");
  constexpr int kSlice = Sizes::kSlice, kKeys = Sizes::kKeys, kTiles = Sizes::kTiles;
  auto& shared = *reinterpret_cast<typename Sizes::Shared*>(dynamic_shared());
  const int lane = lane_index(), warp = warp_index();
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_query = place.block * Sizes::kQueries;
  const int keys = mask.causal ? min(x.keys, first_query + Sizes::kQueries) : x.keys;
  T* const own_keys = shared.keys[warp];
  T* const own_values = shared.values[warp];
  const auto slice = [&](auto* tensor, int count) {
    auto rows = head_rows<kSlicedHead>(tensor, count, x.heads, place.sample, place.head);
    rows.first += warp * kSlice;
    return rows;
  };
  const auto copy = [&](T* target, const T* tensor, int count, int first, int end) {
    if (first < end) copy_rows_async<kSlice, kWarpSize>(target, slice(tensor, count), first, kKeys, lane);
    commit_copies();
  };

  copy(own_keys, x.q, x.queries, first_query, x.queries);
  wait_copies<0>();
  __syncwarp();  // the queries have come for all lanes
  QueryFragments<T, kSlice, kTiles> queries;
  queries.load(own_keys, x.factor);
  __syncwarp();  // all lanes have theirs before keys take their place
  copy(own_keys, x.k, x.keys, 0, keys);
  copy(own_values, x.v, x.keys, 0, keys);

  // This thread's 4 scores: those that lane `source` of a warp has of 8 keys of a tile.
  const int tile = warp / 4, fragment = tile * (kKeys / 8) + lane / 8, source = warp % 4 * 8 + lane % 8;
  const int row = tile * kTileQueries + source / 4;
  SlicedSoftmax softmax;
  AttentionState<T, kSlice, kTiles> state;
  state.begin();
  for (int first = 0; first < keys; first += kKeys) {
    wait_copies<1>();
    __syncwarp();  // the keys have come for all lanes
    Scores<kTiles, kKeys> products;
    queries.template multiply<kKeys>(own_keys, products);
    __syncwarp();  // all lanes are through with the keys
    copy(own_keys, x.k, x.keys, first + kKeys, keys);
#pragma unroll
    for (int i = 0; i < Sizes::kFragments; ++i) {
      const auto& from = products[i / (kKeys / 8)][i % (kKeys / 8)];
      shared.products[warp][i][lane] = {from[0], from[1], from[2], from[3]};
    }
    __syncthreads();  // all warps' parts are there

    float4 sum = shared.products[0][fragment][source];
#pragma unroll
    for (int part = 1; part < Sizes::kWarps; ++part) {
      const float4 other = shared.products[part][fragment][source];
      sum = {sum.x + other.x, sum.y + other.y, sum.z + other.z, sum.w + other.w};
    }
    const int key = first + lane / 8 * 8 + lane % 4 * 2;
    const auto score = [&](float product, int query, int of_key) {
      return masked_score(product * x.factor.magnitude, x.keys, mask, place.sample,
                          min(first_query + query, x.queries - 1), of_key);
    };
    sum = {score(sum.x, row, key), score(sum.y, row, key + 1), score(sum.z, row + 8, key),
           score(sum.w, row + 8, key + 1)};
    const float low = softmax.take(0, sum.x, sum.y), high = softmax.take(1, sum.z, sum.w);
    shared.weights[fragment][source] = {pack_pair<T>(sum.x, sum.y), pack_pair<T>(sum.z, sum.w)};
    shared.corrections[row] = low;  // the same from 16 threads
    shared.corrections[row + 8] = high;
    wait_copies<1>();
    __syncthreads();  // weights and corrections are there, and the values for all lanes

    state.scale_rows(shared.corrections);
    uint32_t weights[kTiles][kKeys / 16][4];
#pragma unroll
    for (int i = 0; i < Sizes::kFragments; ++i) {
      const uint2 pairs = shared.weights[i][lane];
      uint32_t* const target = &weights[i / (kKeys / 8)][i % (kKeys / 8) / 2][i % 2 * 2];
      target[0] = pairs.x;
      target[1] = pairs.y;
    }
    state.template add_values<kKeys>(weights, own_values);
    __syncwarp();  // all lanes are through with the values
    copy(own_values, x.v, x.keys, first + kKeys, keys);
  }

#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float total = SlicedSoftmax::reduce<Sum>(softmax.totals[half]);
    if (lane / 8 == 0) shared.inverses[row + 8 * half] = total == 0 ? 0 : __fdividef(1, total);
  }
  __syncthreads();  // all inverses are there
  state.scale_rows(shared.inverses);
  state.store(own_values);
  __syncwarp();
  write_rows<kSlice, Sizes::kQueries>(own_values, slice(x.output, x.queries), first_query);
}

}  // namespace ipai::cuda
