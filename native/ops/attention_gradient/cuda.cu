// attention_gradient on CUDA. With P = softmax(S) and the gradient G of the output O (op.h):
//
//   dV = Pᵀ·G,  dS = P ∘ (G·Vᵀ - rowsum(G ∘ O)),  dQ = scale · dS·K,  dK = scale · dSᵀ·Q
//
// One kernel has queries of its own, meets all keys twice and makes dQ: first for the logarithm of each
// query's sum, which it leaves in scratch memory beside rowsum(G ∘ O). The second kernel has keys of its own,
// meets all queries and makes dK and dV. Scores are so computed three times, but nobody adds to what another
// block has.
#include "cuda/attention_gradient_operands.h"
#include "cuda/attention_gradient_tiles.h"
#include "cuda/attention_lanes.h"
#include "cuda/attention_plan.h"
#include "cuda/attention_state.h"
#include "cuda/grid.h"
#include "cuda/with_element.h"
#include "ops/attention_gradient/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

using Role = AttentionGradient;

// Of the UNet; sums of a longer one would not fit into registers.
constexpr int kLargestHead = 160;
constexpr int kSteps = kLargestHead / kWarpSize;

// Of a multiprocessor, which leaves a thread 168 registers. Without it the compiler aims at more, and spills.
constexpr int kBlocks = 3;

size_t shared_bytes(int channels) {
  const size_t tokens = 2 * (kBlockTokens * channels + kWarpSize * (channels + 1));
  return kLaneThreads * sizeof(float4) + tokens * sizeof(float);
}

// A block's shared memory: two sets of tokens that warps have, and two that lanes have.
struct Shared {
  float4* weights;  // of the warp
  float* own[2];    // likewise
  float* tiles[2];

  __device__ explicit Shared(int channels) {
    auto* const all = reinterpret_cast<float4*>(dynamic_shared());
    auto* tokens = reinterpret_cast<float*>(all + kLaneThreads);
    weights = all + warp_index() * kWarpSize;
    for (float*& set : own) {
      set = tokens + warp_index() * kOwnTokens * channels;
      tokens += kBlockTokens * channels;
    }
    for (float*& tile : tiles) {
      tile = tokens;
      tokens += kWarpSize * (channels + 1);
    }
  }
};

// log2 Σ 2^score of the warp's queries, over all keys. All threads of the block.
template <class T>
__device__ void measure_queries(const AttentionGradientOperands<T>& x, const AttentionPlace& place,
                                int first_query, const Shared& shared, float (&logs)[kOwnTokens]) {
  float maxima[kOwnTokens], totals[kOwnTokens] = {};
#pragma unroll
  for (float& maximum : maxima) maximum = kLowestScore;
  for (int first = 0; first < x.keys; first += kWarpSize) {
    __syncthreads();  // all warps are through with the keys before
    load_lane_tokens(shared.tiles[0], x.rows_of(x.k, x.keys, place), first, x.channels);
    __syncthreads();  // the keys are there
    float products[kOwnTokens];
    multiply_tokens(shared.own[0], shared.tiles[0], x.channels, products);
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) {
      const float score = x.score(products[r], place, first_query + r, first + lane_index());
      const float maximum = fmaxf(maxima[r], warp_reduce<Max>(score));
      totals[r] = fmaf(totals[r], exp2_approx(maxima[r] - maximum), exp2_approx(score - maximum));
      maxima[r] = maximum;
    }
  }
  // Where all keys are hidden, no weight is left: 2^(score - infinity) is 0.
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    const float total = warp_reduce<Sum>(totals[r]);
    logs[r] = total == 0 ? INFINITY : maxima[r] + log2f(total);
  }
}

template <class T>
__global__ void __launch_bounds__(kLaneThreads, kBlocks)
    attention_gradient_queries(const AttentionGradientOperands<T> x) {
  const Shared shared(x.channels);
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_query = place.block * kBlockTokens + warp_index() * kOwnTokens;
  load_own_tokens(shared.own[0], x.rows_of(x.output, x.queries, place), first_query, x.channels);
  load_own_tokens(shared.own[1], x.rows_of(x.gradient, x.queries, place), first_query, x.channels);
  float logs[kOwnTokens], dots[kOwnTokens] = {};
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    // Each lane reads what it has written.
    for (int i = r * x.channels + lane_index(); i < (r + 1) * x.channels; i += kWarpSize) {
      dots[r] = fmaf(shared.own[0][i], shared.own[1][i], dots[r]);
    }
    dots[r] = warp_reduce<Sum>(dots[r]);
  }
  load_own_tokens(shared.own[0], x.rows_of(x.q, x.queries, place), first_query, x.channels);
  measure_queries(x, place, first_query, shared, logs);
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    if (lane_index() != 0 || first_query + r >= x.queries) continue;
    x.logs[x.first_of(place) + first_query + r] = logs[r];
    x.dots[x.first_of(place) + first_query + r] = dots[r];
  }

  TokenSums<kSteps> sums = {};
  for (int first = 0; first < x.keys; first += kWarpSize) {
    __syncthreads();  // all warps are through with the keys and values before
    load_lane_tokens(shared.tiles[0], x.rows_of(x.k, x.keys, place), first, x.channels);
    load_lane_tokens(shared.tiles[1], x.rows_of(x.v, x.keys, place), first, x.channels);
    __syncthreads();  // they are there
    float slopes[kOwnTokens], of_weights[kOwnTokens];
    multiply_tokens(shared.own[0], shared.tiles[0], x.channels, slopes);
    multiply_tokens(shared.own[1], shared.tiles[1], x.channels, of_weights);
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) {
      const float score = x.score(slopes[r], place, first_query + r, first + lane_index());
      slopes[r] = exp2_approx(score - logs[r]) * (of_weights[r] - dots[r]);
    }
    add_tokens<kSteps>(slopes, shared.weights, shared.tiles[0], x.channels, sums);
  }
  write_own_tokens<kSteps>(sums, x.scale, x.results(0, x.queries, place), first_query, x.channels);
}

template <class T>
__global__ void __launch_bounds__(kLaneThreads, kBlocks)
    attention_gradient_keys(const AttentionGradientOperands<T> x) {
  const Shared shared(x.channels);
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_key = place.block * kBlockTokens + warp_index() * kOwnTokens;
  load_own_tokens(shared.own[0], x.rows_of(x.k, x.keys, place), first_key, x.channels);
  load_own_tokens(shared.own[1], x.rows_of(x.v, x.keys, place), first_key, x.channels);
  TokenSums<kSteps> of_keys = {}, of_values = {};
  for (int first = 0; first < x.queries; first += kWarpSize) {
    __syncthreads();  // all warps are through with the queries before
    load_lane_tokens(shared.tiles[0], x.rows_of(x.q, x.queries, place), first, x.channels);
    load_lane_tokens(shared.tiles[1], x.rows_of(x.gradient, x.queries, place), first, x.channels);
    __syncthreads();  // they are there
    const int query = first + lane_index();
    const bool exists = query < x.queries;
    const float log = exists ? x.logs[x.first_of(place) + query] : INFINITY;
    const float dot = exists ? x.dots[x.first_of(place) + query] : 0;
    float weights[kOwnTokens], slopes[kOwnTokens];
    multiply_tokens(shared.own[0], shared.tiles[0], x.channels, weights);
    multiply_tokens(shared.own[1], shared.tiles[1], x.channels, slopes);
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) {
      weights[r] = exp2_approx(x.score(weights[r], place, query, first_key + r) - log);
      slopes[r] = weights[r] * (slopes[r] - dot);
    }
    add_tokens<kSteps>(slopes, shared.weights, shared.tiles[0], x.channels, of_keys);
    add_tokens<kSteps>(weights, shared.weights, shared.tiles[1], x.channels, of_values);
  }
  write_own_tokens<kSteps>(of_keys, x.scale, x.results(x.queries, x.keys, place), first_key, x.channels);
  write_own_tokens<kSteps>(of_values, 1, x.results(x.queries + x.keys, x.keys, place), first_key, x.channels);
}

template <class T>
void record_kernel(const char* name, void (*kernel)(AttentionGradientOperands<T>),
                   AttentionGradientOperands<T> x, int64_t samples, int tokens, int tokens_per_block,
                   LaunchShape shape, CudaEncoder& encoder) {
  x.blocks_per_head = static_cast<int>(ceil_divide(tokens, tokens_per_block));
  shape.grid = blocks_for(samples * x.heads * x.blocks_per_head, 1);
  encoder.launch(name, kernel, shape, x);
}

template <class T>
void record_lanes(const AttentionGradientOperands<T>& x, int64_t samples, CudaEncoder& encoder) {
  const LaunchShape shape = {{}, kLaneThreads, shared_bytes(x.channels)};
  record_kernel("attention_gradient_queries", attention_gradient_queries<T>, x, samples, x.queries,
                kBlockTokens, shape, encoder);
  record_kernel("attention_gradient_keys", attention_gradient_keys<T>, x, samples, x.keys, kBlockTokens,
                shape, encoder);
}

template <class T, int kHead>
void record_tiles(const AttentionGradientOperands<T>& x, int64_t samples, CudaEncoder& encoder) {
  static_assert(gradient_shared_bytes<T, kHead>() <= kSharedBytesOfAnyDevice, "tiles fit every device");
  const LaunchShape shape = {{}, kGradientThreads, gradient_shared_bytes<T, kHead>()};
  record_kernel("attention_gradient_query_tiles", attention_gradient_query_tiles<T, kHead>, x, samples,
                x.queries, kGradientTokens, shape, encoder);
  record_kernel("attention_gradient_key_tiles", attention_gradient_key_tiles<T, kHead>, x, samples, x.keys,
                kGradientTokens, shape, encoder);
}

void record(const AttentionGradient& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& q = node.input(Role::kQ);
  const int64_t samples = q.shape[0];
  with_element(q.dtype, [&](auto element) {
    using T = decltype(element);
    AttentionGradientOperands<T> x = {};
    x.q = q.as<const T>();
    x.k = node.input(Role::kK).as<const T>();
    x.v = node.input(Role::kV).as<const T>();
    x.output = node.input(Role::kOutput).as<const T>();
    x.gradient = node.input(Role::kGradient).as<const T>();
    x.joined = node.output().as<T>();
    x.logs = reinterpret_cast<float*>(encoder.scratch());
    x.dots = x.logs + samples * attributes.heads * q.shape[1];
    x.mask = mask_of(node.input(Role::kMask), attributes.causal);
    x.queries = static_cast<int>(q.shape[1]);
    x.keys = static_cast<int>(node.input(Role::kK).shape[1]);
    x.heads = static_cast<int>(attributes.heads);
    x.channels = static_cast<int>(q.shape[2]) / x.heads;
    x.scale = attributes.scale;
    if constexpr (!std::is_same_v<T, float>) {
      if (has_attention_plan(x.channels)) {
        return with_head_size(
            x.channels, [&](auto head) { record_tiles<T, decltype(head)::value>(x, samples, encoder); });
      }
    }
    record_lanes(x, samples, encoder);
  });
}

std::string validate(const AttentionGradient& attributes, const NodeTypes& types) {
  const std::string error = AttentionGradient::validate(attributes, types);
  return error.empty() ? check_head_size(types.inputs[Role::kQ], attributes.heads, kLargestHead) : error;
}

size_t scratch_bytes(const AttentionGradient& attributes, const NodeTypes& types) {
  const Shape& q = types.inputs[Role::kQ].shape;
  return static_cast<size_t>(2 * q[0] * attributes.heads * q[1]) * sizeof(float);
}

}  // namespace

namespace ops {
Op attention_gradient() {
  CudaOpSpec<AttentionGradient> spec;
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
