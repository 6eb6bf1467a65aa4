// attention_gradient on the tensor cores, with heads of whole chunks of channels. A warp has 16 tokens of its
// own and meets all others in turn (KeyRing): 16 queries, which make dQ, or 16 keys, which make dK and dV.
// Products of tokens are made twice for dQ, whose softmax must be known first, and once more for dK and dV.
// Own tokens stay in shared memory: each is read once for every 32 others, or 16.
#pragma once

#include "cuda/attention_gradient_operands.h"
#include "cuda/attention_key_ring.h"
#include "cuda/attention_state.h"

namespace ipai::cuda {

inline constexpr int kGradientWarps = 4;
inline constexpr int kGradientThreads = kGradientWarps * kWarpSize;
inline constexpr int kGradientTokens = kGradientWarps * kTileQueries;  // of a block

// Blocks of a multiprocessor. A thread has D registers for the sums of dK and dV.
constexpr int gradient_blocks(int head_size) {
  return head_size <= 40 ? 4 : head_size <= 64 ? 3 : 2;
}
// Others that a warp meets at a time: sums of long heads leave registers for few products.
template <int kHead>
inline constexpr int kGradientOthers = kHead <= 128 ? 32 : 16;

// Two sets of tokens of a block and, twice, of others.
template <class T, int kHead>
constexpr size_t gradient_shared_bytes() {
  constexpr int kTokens = 2 * (kGradientTokens + 2 * kGradientOthers<kHead>);
  return sizeof(T) * kTokens * kHead;
}

template <class T, int kHead>
using GradientRing = KeyRing<T, kHead, kGradientOthers<kHead>, 2, kGradientThreads>;
// Of a warp's tokens and kColumns · 8 others.
template <int kColumns>
using GradientProducts = float[1][kColumns][4];
template <class T, int kHead>
using GradientSums = AttentionState<T, kHead, 1>;

// A block's own tokens, and how a warp multiplies its 16 with others.
template <class T, int kHead>
struct GradientTokens {
  T* rows;  // of the warp

  // Starts to copy the block's.
  __device__ GradientTokens(T* memory, const HeadRows<const T>& source, int first)
      : rows(memory + warp_index() * kTileQueries * kHead) {
    copy_rows_async<kHead, kGradientThreads>(memory, source, first, kGradientTokens,
                                             static_cast<int>(threadIdx.x));
  }

  // products = own · othersᵀ. Own tokens are loaded step by step: all of a long head's would take registers
  // that sums need.
  template <int kColumns>
  __device__ void multiply(const T* others, GradientProducts<kColumns>& products) const {
    constexpr int kSteps = kHead / 16;
    const int own_row = lane_index() % 16;
#pragma unroll
    for (auto& column : products[0]) {
#pragma unroll
      for (float& product : column) product = 0;
    }
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int row = lane_index() / 16 * 8 + lane_index() % 8, chunk = lane_index() / 8 % 2;
      uint32_t own[4];
      load_matrices(own, rows + HeadTile<T, kHead>::chunk(own_row, 2 * step + lane_index() / 16));
#pragma unroll
      for (int n = 0; n < kColumns; n += 2) {
        uint32_t pair[4];
        load_matrices(pair, others + 8 * n * kHead + HeadTile<T, kHead>::chunk(row, 2 * step + chunk));
        mma_m16n8k16<T>(products[0][n], own, {pair[0], pair[1]});
        mma_m16n8k16<T>(products[0][n + 1], own, {pair[2], pair[3]});
      }
    }
    if constexpr (kHead % 16 != 0) {
      uint32_t own[2];
      load_matrices(own, rows + HeadTile<T, kHead>::chunk(own_row, 2 * kSteps));
#pragma unroll
      for (int n = 0; n < kColumns; n += 2) {
        uint32_t pair[2];
        load_matrices(pair, others + 8 * n * kHead + HeadTile<T, kHead>::chunk(own_row, 2 * kSteps));
        mma_m16n8k8<T>(products[0][n], own, {pair[0]});
        mma_m16n8k8<T>(products[0][n + 1], own, {pair[1]});
      }
    }
  }
};

// body(product, own token, other token) of each product of the lane, by their places in tile and block.
template <int kColumns, class Body>
__device__ inline void for_each_product(GradientProducts<kColumns>& products, Body body) {
#pragma unroll
  for (int n = 0; n < kColumns; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
      body(products[0][n][i], i / 2 * 8 + lane_index() / 4, n * 8 + lane_index() % 4 * 2 + i % 2);
  }
}

// sums += factors · others
template <class T, int kHead, int kColumns>
__device__ inline void add_others(const GradientProducts<kColumns>& factors, const T* others,
                                  GradientSums<T, kHead>& sums) {
  WeightFragments<1, 8 * kColumns> fragments;
#pragma unroll
  for (int n = 0; n < kColumns; ++n) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      fragments[0][n / 2][n % 2 * 2 + half] =
          pack_pair<T>(factors[0][n][2 * half], factors[0][n][2 * half + 1]);
    }
  }
  sums.template add_values<8 * kColumns>(fragments, others);
}

// Writes factor · sums over the warp's tokens from `first` on, by way of `rows`, which nobody reads any more.
template <class T, int kHead>
__device__ inline void write_sums(GradientSums<T, kHead>& sums, float factor, T* rows,
                                  const HeadRows<T>& target, int first) {
#pragma unroll
  for (auto& chunk : sums.sums[0]) {
#pragma unroll
    for (float& sum : chunk) sum *= factor;
  }
  __syncwarp();  // all lanes are through with the rows
  sums.store(rows);
  __syncwarp();
  write_rows<kHead, kTileQueries>(rows, target, first);
}

// rowsum(G ∘ O) of the warp's query lane / 2, for both lanes of it. O is read where it is.
template <class T, int kHead>
__device__ inline float dot_of_query(const T* gradients, const HeadRows<const T>& outputs, int first) {
  const int row = lane_index() / 2;
  float dot = 0;
  if (first + row < outputs.count) {
    for (int chunk = lane_index() % 2; chunk < kHead / 8; chunk += 2) {
      float ours[8], theirs[8];
      Vector<T>::load(gradients + HeadTile<T, kHead>::chunk(row, chunk)).to_floats(ours);
      Vector<T>::load(outputs.first + outputs.offset(first + row) + 8 * chunk).to_floats(theirs);
#pragma unroll
      for (int i = 0; i < 8; ++i) dot = fmaf(ours[i], theirs[i], dot);
    }
  }
  return warp_reduce<Sum, 2>(dot);
}

template <class T, int kHead>
__global__ void __launch_bounds__(kGradientThreads, gradient_blocks(kHead))
    attention_gradient_query_tiles(const AttentionGradientOperands<T> x) {
  constexpr int kOthers = kGradientOthers<kHead>;
  T* const shared = reinterpret_cast<T*>(dynamic_shared());
  T* const others = shared + 2 * kGradientTokens * kHead;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_of_block = place.block * kGradientTokens;
  const int first_query = first_of_block + warp_index() * kTileQueries;
  const auto keys = x.rows_of(x.k, x.keys, place), values = x.rows_of(x.v, x.keys, place);
  const GradientTokens<T, kHead> queries(shared, x.rows_of(x.q, x.queries, place), first_of_block);
  const GradientTokens<T, kHead> gradients(shared + kGradientTokens * kHead,
                                           x.rows_of(x.gradient, x.queries, place), first_of_block);
  commit_copies();

  // Of the lane's keys, for its queries g and g + 8.
  float maxima[2] = {kLowestScore, kLowestScore}, totals[2] = {};
  GradientProducts<kOthers / 8> scores;
  GradientRing<T, kHead> ring(others, keys, values, x.keys);
  for (int first = 0; ring.left() > 0; first += kOthers) {
    queries.multiply(ring.next(), scores);
    float raised[2] = {maxima[0], maxima[1]};
    for_each_product(scores, [&](float& score, int query, int key) {
      score = x.score(score, place, first_query + query, first + key);
      raised[query / 8] = fmaxf(raised[query / 8], score);
    });
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      totals[half] *= exp2_approx(maxima[half] - raised[half]);
      maxima[half] = raised[half];
    }
    for_each_product(scores, [&](float score, int query, int) {
      totals[query / 8] += exp2_approx(score - maxima[query / 8]);
    });
  }
  const float dot =
      dot_of_query<T, kHead>(gradients.rows, x.rows_of(x.output, x.queries, place), first_query);
  float logs[2], dots[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float maximum = warp_reduce<Max, 4>(maxima[half]);
    const float total = warp_reduce<Sum, 4>(totals[half] * exp2_approx(maxima[half] - maximum));
    // Where all keys are hidden, no weight is left: 2^(score - infinity) is 0.
    logs[half] = total == 0 ? INFINITY : maximum + log2f(total);
    dots[half] = __shfl_sync(kWholeWarp, dot, 2 * (lane_index() / 4 + 8 * half));
    const int query = first_query + lane_index() / 4 + 8 * half;
    if (lane_index() % 4 != 0 || query >= x.queries) continue;
    x.logs[x.first_of(place) + query] = logs[half];
    x.dots[x.first_of(place) + query] = dots[half];
  }

  __syncthreads();  // all warps are through with the keys before
  GradientRing<T, kHead> again(others, keys, values, x.keys);
  GradientSums<T, kHead> sums;
  sums.begin();
  for (int first = 0; again.left() > 0; first += kOthers) {
    const T* const block_keys = again.next();
    GradientProducts<kOthers / 8> of_weights;
    queries.multiply(block_keys, scores);
    gradients.multiply(block_keys + kOthers * kHead, of_weights);
#pragma unroll
    for (int n = 0; n < kOthers / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) of_weights[0][n][i] -= dots[i / 2];
    }
    for_each_product(scores, [&](float& score, int query, int key) {
      score = exp2_approx(x.score(score, place, first_query + query, first + key) - logs[query / 8]);
    });
#pragma unroll
    for (int n = 0; n < kOthers / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) scores[0][n][i] *= of_weights[0][n][i];
    }
    add_others(scores, block_keys, sums);
  }
  write_sums(sums, x.scale, queries.rows, x.results(0, x.queries, place), first_query);
}

// Adds what all queries give to the sums of the warp's keys, of its values, or of both.
template <bool kOfKeys, bool kOfValues, class T, int kHead>
__device__ inline void add_queries(const AttentionGradientOperands<T>& x, const AttentionPlace& place,
                                   const GradientTokens<T, kHead>& keys,
                                   const GradientTokens<T, kHead>& values, int first_key, T* memory,
                                   GradientSums<T, kHead>& of_keys, GradientSums<T, kHead>& of_values) {
  constexpr int kOthers = kGradientOthers<kHead>;
  GradientRing<T, kHead> ring(memory, x.rows_of(x.q, x.queries, place),
                              x.rows_of(x.gradient, x.queries, place), x.queries);
  for (int first = 0; ring.left() > 0; first += kOthers) {
    const T* const queries = ring.next();
    const T* const gradients = queries + kOthers * kHead;
    GradientProducts<kOthers / 8> weights, slopes;
    keys.multiply(queries, weights);
    if constexpr (kOfKeys) values.multiply(gradients, slopes);
#pragma unroll
    for (int n = 0; n < kOthers / 8; ++n) {
#pragma unroll
      for (int side = 0; side < 2; ++side) {
        const int query = first + n * 8 + lane_index() % 4 * 2 + side;
        const bool exists = query < x.queries;
        const float log = exists ? x.logs[x.first_of(place) + query] : INFINITY;
        const float dot = exists ? x.dots[x.first_of(place) + query] : 0;
#pragma unroll
        for (int i = side; i < 4; i += 2) {
          const int key = first_key + i / 2 * 8 + lane_index() / 4;
          weights[0][n][i] = exp2_approx(x.score(weights[0][n][i], place, query, key) - log);
          if constexpr (kOfKeys) slopes[0][n][i] = weights[0][n][i] * (slopes[0][n][i] - dot);
        }
      }
    }
    if constexpr (kOfValues) add_others(weights, gradients, of_values);
    if constexpr (kOfKeys) add_others(slopes, queries, of_keys);
  }
}

template <class T, int kHead>
__global__ void __launch_bounds__(kGradientThreads, gradient_blocks(kHead))
    attention_gradient_key_tiles(const AttentionGradientOperands<T> x) {
  T* const shared = reinterpret_cast<T*>(dynamic_shared());
  T* const others = shared + 2 * kGradientTokens * kHead;
  const AttentionPlace place = attention_place(x.blocks_per_head, x.heads);
  const int first_of_block = place.block * kGradientTokens;
  const int first_key = first_of_block + warp_index() * kTileQueries;
  const GradientTokens<T, kHead> keys(shared, x.rows_of(x.k, x.keys, place), first_of_block);
  const GradientTokens<T, kHead> values(shared + kGradientTokens * kHead, x.rows_of(x.v, x.keys, place),
                                        first_of_block);
  commit_copies();
  const auto for_keys = x.results(x.queries, x.keys, place);
  const auto for_values = x.results(x.queries + x.keys, x.keys, place);

  GradientSums<T, kHead> sums;
  sums.begin();
  if constexpr (kHead <= 128) {
    GradientSums<T, kHead> of_values;
    of_values.begin();
    add_queries<true, true>(x, place, keys, values, first_key, others, sums, of_values);
    write_sums(sums, x.scale, keys.rows, for_keys, first_key);
    write_sums(of_values, 1, values.rows, for_values, first_key);
  } else {
    // Registers hold one of a long head's sums at a time. Values are not needed for the second.
    add_queries<true, false>(x, place, keys, values, first_key, others, sums, sums);
    write_sums(sums, x.scale, values.rows, for_keys, first_key);
    __syncthreads();  // all warps are through with the queries before
    sums.begin();
    add_queries<false, true>(x, place, keys, values, first_key, others, sums, sums);
    write_sums(sums, 1, values.rows, for_values, first_key);
  }
}

}  // namespace ipai::cuda
