// Bound by arithmetic and shared memory: of the channels of a lane's key, each serves 4 queries. Scores never
// leave a warp, and its softmax is that of attention_state.h.
#include "cuda/attention_any_head.h"

#include "cuda/attention_lanes.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_state.h"
#include "cuda/grid.h"

namespace ipai::cuda {
namespace {

// Channels that instances are made for: those of the UNet, and the largest.
constexpr int kUsualHead = 160;

size_t shared_bytes(int channels) {
  const size_t tokens = kBlockTokens * channels + kWarpSize * (channels + 1);
  return kLaneThreads * sizeof(float4) + tokens * sizeof(float);
}

// A block's shared memory.
struct Shared {
  float4* weights;  // of the warp
  float* own;       // likewise: its queries
  float* tile;      // keys, then values

  __device__ explicit Shared(int channels) {
    auto* const all = reinterpret_cast<float4*>(dynamic_shared());
    auto* const tokens = reinterpret_cast<float*>(all + kLaneThreads);
    weights = all + warp_index() * kWarpSize;
    own = tokens + warp_index() * kOwnTokens * channels;
    tile = tokens + kBlockTokens * channels;
  }
};

struct Softmax {
  float maxima[kOwnTokens];
  float totals[kOwnTokens];  // of this lane's keys

  __device__ void begin() {
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) {
      maxima[r] = kLowestScore;
      totals[r] = 0;
    }
  }
  // This lane's score of a query becomes its weight; returns the factor of what was summed up before.
  __device__ float take(int r, float& score) {
    const float maximum = fmaxf(maxima[r], warp_reduce<Max>(score));
    const float correction = exp2_approx(maxima[r] - maximum);
    maxima[r] = maximum;
    score = exp2_approx(score - maximum);
    totals[r] = fmaf(totals[r], correction, score);
    return correction;
  }
};

// Adds `weight` times the attention to a set of keys. All threads of the block.
template <int kSteps, class T>
__device__ void attend_set(const AnyHeadOperands<T>& x, const WeightedKeys<T>& set, float weight,
                           const AttentionPlace& place, int first_query, const Shared& shared,
                           TokenSums<kSteps>& results) {
  const auto rows_of = [&](const T* tensor) {
    return head_rows(tensor, set.count, x.heads, x.channels, place.sample, place.head);
  };
  Softmax softmax;
  softmax.begin();
  TokenSums<kSteps> sums = {};
  for (int first = 0; first < set.count; first += kWarpSize) {
    __syncthreads();  // all warps are through with the values before
    load_lane_tokens(shared.tile, rows_of(set.k), first, x.channels);
    __syncthreads();  // the keys are there
    float scores[kOwnTokens];
    multiply_tokens(shared.own, shared.tile, x.channels, scores);
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) {
      const int query = min(first_query + r, x.queries - 1);
      scores[r] =
          masked_score(scores[r] * x.factor, set.count, x.mask, place.sample, query, first + lane_index());
      const float correction = softmax.take(r, scores[r]);
#pragma unroll
      for (float& sum : sums[r]) sum *= correction;
    }
    __syncthreads();  // all warps are through with the keys, whose place the values take
    load_lane_tokens(shared.tile, rows_of(set.v), first, x.channels);
    __syncthreads();  // the values are there
    add_tokens<kSteps>(scores, shared.weights, shared.tile, x.channels, sums);
  }
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    const float total = warp_reduce<Sum>(softmax.totals[r]);
    const float factor = total == 0 ? 0 : weight / total;
#pragma unroll
    for (int step = 0; step < kSteps; ++step)
      results[r][step] = fmaf(factor, sums[r][step], results[r][step]);
  }
}

template <class T, int kSteps>
__global__ void __launch_bounds__(kLaneThreads)
    attention_any_head(const AnyHeadOperands<T> x, const int blocks_per_head) {
  const Shared shared(x.channels);
  const AttentionPlace place = attention_place(blocks_per_head, x.heads);
  const int first_query = place.block * kBlockTokens + warp_index() * kOwnTokens;
  load_own_tokens(shared.own, head_rows(x.q, x.queries, x.heads, x.channels, place.sample, place.head),
                  first_query, x.channels);
  TokenSums<kSteps> results = {};
  for (int i = 0; i < x.set_count; ++i) {
    const WeightedKeys<T>& set = x.sets[i];
    const float weight = set.weights == nullptr ? 1 : set.weights[place.sample];
    if (weight != 0) attend_set<kSteps>(x, set, weight, place, first_query, shared, results);
  }
  write_own_tokens<kSteps>(results, 1,
                           head_rows(x.output, x.queries, x.heads, x.channels, place.sample, place.head),
                           first_query, x.channels);
}

}  // namespace

template <class T>
void record_attention_any_head(const AnyHeadOperands<T>& x, int64_t samples, CudaEncoder& encoder) {
  const auto blocks_per_head = static_cast<int>(ceil_divide(x.queries, kBlockTokens));
  const LaunchShape shape = {blocks_for(samples * x.heads * blocks_per_head, 1), kLaneThreads,
                             shared_bytes(x.channels)};
  const auto kernel = x.channels <= kUsualHead ? attention_any_head<T, kUsualHead / kWarpSize>
                                               : attention_any_head<T, kLargestHead / kWarpSize>;
  encoder.launch("attention_any_head", kernel, shape, x, blocks_per_head);
}

template void record_attention_any_head(const AnyHeadOperands<float>&, int64_t, CudaEncoder&);
template void record_attention_any_head(const AnyHeadOperands<Float16>&, int64_t, CudaEncoder&);
template void record_attention_any_head(const AnyHeadOperands<BFloat16>&, int64_t, CudaEncoder&);

}  // namespace ipai::cuda
