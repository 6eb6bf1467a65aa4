// A warp's softmax and weighted sum of values for one set of keys (Dao 2023, FlashAttention-2, section 3.1).
// Scores never leave registers: those of 8 keys are the result of a product with keys (cuda/mma.h), and those
// of 16, rounded to T, an operand of the product with values.
#pragma once

#include <limits>

#include "cuda/attention_queries.h"
#include "cuda/reduce.h"

namespace ipai::cuda {

// Finite, so that differences from it are never infinity - infinity.
inline constexpr float kLowestScore = std::numeric_limits<float>::lowest();

// The lane's rows of a tile are g and g + 8 ("half" 0 and 1), with g = lane / 4.
template <class T, int kHead, int kTiles>
struct AttentionState {
  static constexpr int kChunks = kHead / 8;
  // By how much, in powers of 2, scores may exceed `maxima` before these are raised: weights stay far inside
  // of float16, and sums are seldom scaled again. Each row decides for itself, so that its bits do not depend
  // on its neighbours.
  static constexpr float kSlack = 8;

  float sums[kTiles][kChunks][4];  // Σ weight · value
  float totals[kTiles][2];         // Σ weight, of this lane's keys
  float maxima[kTiles][2];         // weights are 2^(factor · (score - maximum))

  __device__ void begin() {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        totals[tile][half] = 0;
        maxima[tile][half] = kLowestScore;
      }
#pragma unroll
      for (int c = 0; c < kChunks; ++c) {
#pragma unroll
        for (int i = 0; i < 4; ++i) sums[tile][c][i] = 0;
      }
    }
  }

  // Takes scores, in units of log2(e) / factor, and the values that belong to them; factor > 0.
  template <int kKeys>
  __device__ void attend(const Scores<kTiles, kKeys>& scores, float factor, const T* values) {
    weigh<kKeys>(scores, factor, [&](int first, const WeightFragments<kTiles, 16>& weights) {
      add_values<16>(weights, values + first * kHead);
    });
  }

  // Takes scores alone: take(first, weights) is given the weights of 16 keys, whose values are to be added.
  template <int kKeys, class Take>
  __device__ void weigh(const Scores<kTiles, kKeys>& scores, float factor, const Take& take) {
    raise_maxima<kKeys>(scores, factor);
    // 16 keys at a time, so that exponentials of the next ones run beside these ones' products.
#pragma unroll
    for (int n = 0; n < kKeys / 8; n += 2) {
      WeightFragments<kTiles, 16> weights;
#pragma unroll
      for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int half = i % 2;
          const auto& pair = scores[tile][n + i / 2];
          const float shift = -factor * maxima[tile][half];
          const float first = exp2_approx(fmaf(pair[2 * half], factor, shift));
          const float second = exp2_approx(fmaf(pair[2 * half + 1], factor, shift));
          totals[tile][half] += first + second;
          weights[tile][0][i] = pack_pair<T>(first, second);
        }
      }
      take(8 * n, weights);
    }
  }

  template <int kKeys>
  __device__ void add_values(const WeightFragments<kTiles, kKeys>& weights, const T* values) {
    const int row = lane_index() % 16;
#pragma unroll
    for (int step = 0; step < kKeys / 16; ++step, values += 16 * kHead) {
#pragma unroll
      for (int c = 0; c + 1 < kChunks; c += 2) {
        uint32_t pair[4];
        load_matrices_transposed(pair, values + HeadTile<T, kHead>::chunk(row, c + lane_index() / 16));
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_m16n8k16<T>(sums[tile][c], weights[tile][step], {pair[0], pair[1]});
          mma_m16n8k16<T>(sums[tile][c + 1], weights[tile][step], {pair[2], pair[3]});
        }
      }
      if constexpr (kChunks % 2 != 0) {
        uint32_t last[2];
        load_matrices_transposed(last, values + HeadTile<T, kHead>::chunk(row, kChunks - 1));
#pragma unroll
        for (int tile = 0; tile < kTiles; ++tile) {
          mma_m16n8k16<T>(sums[tile][kChunks - 1], weights[tile][step], last);
        }
      }
    }
  }

  // By a factor for each of the warp's queries.
  __device__ void scale_rows(const float* factors) {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        scale_row(tile, half, factors[tile * kTileQueries + 8 * half + lane_index() / 4]);
      }
    }
  }

  // Multiplies sums so that weights add up to `weight`; rows that saw no key become 0.
  __device__ void finish(float weight) {
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float total = warp_reduce<Sum, 4>(totals[tile][half]);
        scale_row(tile, half, total == 0 ? 0 : __fdividef(weight, total));
      }
    }
  }

  // Writes sums into the warp's rows in shared memory.
  __device__ void store(T* rows) const {
    const int group = lane_index() / 4, place = lane_index() % 4;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile, rows += kTileQueries * kHead) {
#pragma unroll
      for (int c = 0; c < kChunks; ++c) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          T* const pair = rows + HeadTile<T, kHead>::chunk(group + 8 * half, c) + 2 * place;
          *reinterpret_cast<uint32_t*>(pair) =
              pack_pair<T>(sums[tile][c][2 * half], sums[tile][c][2 * half + 1]);
        }
      }
    }
  }

 private:
  template <int kKeys>
  __device__ void raise_maxima(const Scores<kTiles, kKeys>& scores, float factor) {
    float raised[kTiles][2];
    bool any = false;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float maximum = scores[tile][0][2 * half];
#pragma unroll
        for (int n = 0; n < kKeys / 8; ++n) {
          maximum = fmaxf(maximum, fmaxf(scores[tile][n][2 * half], scores[tile][n][2 * half + 1]));
        }
        maximum = warp_reduce<Max, 4>(maximum);
        const bool raises = factor * (maximum - maxima[tile][half]) > kSlack;
        raised[tile][half] = raises ? maximum : maxima[tile][half];
        any = any || raises;
      }
    }
    if (!__any_sync(kWholeWarp, any)) return;
#pragma unroll
    for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float correction = exp2_approx(factor * (maxima[tile][half] - raised[tile][half]));
        maxima[tile][half] = raised[tile][half];
        totals[tile][half] *= correction;
        scale_row(tile, half, correction);
      }
    }
  }

  __device__ void scale_row(int tile, int half, float by) {
#pragma unroll
    for (int c = 0; c < kChunks; ++c) {
      sums[tile][c][2 * half] *= by;
      sums[tile][c][2 * half + 1] *= by;
    }
  }
};

// Hides keys from `count` on.
template <int kTiles, int kFragments>
__device__ inline void hide_keys(float (&scores)[kTiles][kFragments][4], int count) {
#pragma unroll
  for (int tile = 0; tile < kTiles; ++tile) {
#pragma unroll
    for (int i = 0; i < 4 * kFragments; ++i) {
      const int key = i / 4 * 8 + lane_index() % 4 * 2 + i % 2;
      if (key >= count) scores[tile][i / 4][i % 4] = -INFINITY;
    }
  }
}

// Scores of 16 keys, of which those from `count` on, finite numbers, are hidden.
template <class T, int kHead, int kTiles>
__device__ inline void multiply_some(const QueryFragments<T, kHead, kTiles>& queries, const T* keys,
                                     int count, Scores<kTiles, 16>& scores) {
  queries.template multiply<16>(keys, scores);
  hide_keys(scores, count);
}

// Attends to `count` keys in shared memory: to kKeys at once, or where there are fewer, to 16 at a time. Rows
// beyond `count`, to a multiple of 16, hold finite numbers.
template <int kKeys, class T, int kHead, int kTiles>
__device__ inline void attend_keys(const QueryFragments<T, kHead, kTiles>& queries,
                                   AttentionState<T, kHead, kTiles>& state, const T* keys, const T* values,
                                   int count, float factor) {
  if (count >= kKeys) {
    Scores<kTiles, kKeys> scores;
    queries.template multiply<kKeys>(keys, scores);
    state.template attend<kKeys>(scores, factor, values);
    return;
  }
  for (int first = 0; first < count; first += 16) {
    Scores<kTiles, 16> scores;
    multiply_some(queries, keys + first * kHead, count - first, scores);
    state.template attend<16>(scores, factor, values + first * kHead);
  }
}

}  // namespace ipai::cuda
