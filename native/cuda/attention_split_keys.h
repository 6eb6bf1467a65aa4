// Attention of up to 16 queries, as the resampler's: the 4 warps of a block share a head's keys instead of
// its queries, and add up what they found.
#pragma once

#include "cuda/attention_key_ring.h"
#include "cuda/attention_operands.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_state.h"

namespace ipai::cuda {

template <class T, int kHead>
struct SplitKeys {
  static constexpr int kWarps = kAttentionWarps;
  static constexpr int kKeys = 16;
  static constexpr int kStages = kHead <= 88 ? 4 : 2;  // into 99 KB, for compute capability 8.6
  static constexpr int kChunks = kHead / 8;
  using Ring = KeyRing<T, kHead, kKeys, kStages, kWarpSize>;

  struct Shared {
    T rows[kTileQueries * kHead];  // queries, then results
    union {
      T ring[kWarps][Ring::kElements];
      float4 sums[kWarps][kChunks][kWarpSize];  // as lanes hold them
    };
    float maxima[kWarps][kTileQueries];
    float totals[kWarps][kTileQueries];
  };
};

template <class T, int kHead>
__global__ void __launch_bounds__(kAttentionThreads, 2) attention_split_keys(const AttentionOperands<T> x) {
  using Sizes = SplitKeys<T, kHead>;
  static_assert(sizeof(typename Sizes::Shared) <= kSharedBytesOfAnyDevice, "fits every device");
  auto& shared = *reinterpret_cast<typename Sizes::Shared*>(dynamic_shared());
  const int lane = lane_index(), warp = warp_index(), group = lane / 4;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const auto rows_of = [&](auto* tensor, int count) {
    return head_rows<kHead>(tensor, count, x.heads, place.sample, place.head);
  };
  // This warp's keys.
  constexpr int kStep = Sizes::kWarps * Sizes::kKeys;
  const int share = (x.keys + kStep - 1) / kStep * Sizes::kKeys;
  const int first_key = min(warp * share, x.keys), count = min(share, x.keys - first_key);
  const auto share_of = [&](const T* tensor) { return rows_of(tensor, x.keys).from(first_key); };

  copy_rows_async<kHead, kAttentionThreads>(shared.rows, rows_of(x.q, x.queries), 0, kTileQueries,
                                            static_cast<int>(threadIdx.x));
  commit_copies();
  typename Sizes::Ring ring(shared.ring[warp], share_of(x.k), share_of(x.v), count);
  wait_copies<Sizes::kStages - 1>();
  __syncthreads();  // the queries have come for all threads
  QueryFragments<T, kHead, 1> queries;
  queries.load(shared.rows, x.factor);
  AttentionState<T, kHead, 1> state;
  state.begin();
  for (int left = ring.left(); left > 0; left = ring.left()) {
    const T* const keys = ring.next();
    attend_keys<Sizes::kKeys>(queries, state, keys, keys + Sizes::kKeys * kHead, left, x.factor.magnitude);
  }

  wait_copies<0>();
  __syncthreads();  // all warps are through with their keys, whose place the sums take
#pragma unroll
  for (int c = 0; c < Sizes::kChunks; ++c) {
    const auto& sums = state.sums[0][c];
    shared.sums[warp][c][lane] = {sums[0], sums[1], sums[2], sums[3]};
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    shared.maxima[warp][group + 8 * half] = state.maxima[0][half];  // the same from 4 lanes
    shared.totals[warp][group + 8 * half] = warp_reduce<Sum, 4>(state.totals[0][half]);
  }
  __syncthreads();  // all warps' results are there

  float factors[Sizes::kWarps][2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = group + 8 * half;
    float maximum = shared.maxima[0][row];
#pragma unroll
    for (int w = 1; w < Sizes::kWarps; ++w) maximum = fmaxf(maximum, shared.maxima[w][row]);
    float total = 0;
#pragma unroll
    for (int w = 0; w < Sizes::kWarps; ++w) {
      factors[w][half] = exp2_approx(x.factor.magnitude * (shared.maxima[w][row] - maximum));
      total += factors[w][half] * shared.totals[w][row];
    }
#pragma unroll
    for (int w = 0; w < Sizes::kWarps; ++w) factors[w][half] = __fdividef(factors[w][half], total);
  }
  for (int c = warp; c < Sizes::kChunks; c += Sizes::kWarps) {
    float4 sum = {0, 0, 0, 0};
#pragma unroll
    for (int w = 0; w < Sizes::kWarps; ++w) {
      const float4 part = shared.sums[w][c][lane];
      sum = {fmaf(factors[w][0], part.x, sum.x), fmaf(factors[w][0], part.y, sum.y),
             fmaf(factors[w][1], part.z, sum.z), fmaf(factors[w][1], part.w, sum.w)};
    }
    const auto pair_at = [&](int row) {
      return reinterpret_cast<uint32_t*>(shared.rows + HeadTile<T, kHead>::chunk(row, c) + lane % 4 * 2);
    };
    *pair_at(group) = pack_pair<T>(sum.x, sum.y);
    *pair_at(group + 8) = pack_pair<T>(sum.z, sum.w);
  }
  __syncthreads();  // all results are there
  if (warp == 0) write_rows<kHead, kTileQueries>(shared.rows, rows_of(x.output, x.queries), 0);
}

}  // namespace ipai::cuda
