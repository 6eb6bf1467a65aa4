// Adds the attention to a second set of keys, of one tile of queries, to finished sums. A softmax of its own
// needs sums of its own while its maxima may grow, and registers have no place for two. So scores are made
// twice: first for maxima and totals, then for weights that are final.
#pragma once

#include "cuda/attention_state.h"

namespace ipai::cuda {

template <class T, int kHead>
struct SecondSet {
  using Queries = QueryFragments<T, kHead, 1>;

  float maxima[2] = {kLowestScore, kLowestScore};  // of the lane's two rows
  float totals[2] = {0, 0};                        // of this lane's keys; in the end factors of weights

  // First all scores go through here, 16 at a time, ...
  __device__ void measure(const Scores<1, 16>& scores, float factor) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float(&low)[4] = scores[0][0], (&high)[4] = scores[0][1];
      const int i = 2 * half;
      const float largest = fmaxf(fmaxf(low[i], low[i + 1]), fmaxf(high[i], high[i + 1]));
      const float maximum = fmaxf(maxima[half], warp_reduce<Max, 4>(largest));
      const float shift = -factor * maximum;
      const auto weight = [&](float score) { return exp2_approx(fmaf(score, factor, shift)); };
      totals[half] = totals[half] * exp2_approx(factor * (maxima[half] - maximum)) + weight(low[i]) +
                     weight(low[i + 1]) + weight(high[i]) + weight(high[i + 1]);
      maxima[half] = maximum;
    }
  }
  __device__ void measure(const Queries& queries, const T* keys, int count, float factor) {
    for (int first = 0; first < count; first += 16) {
      Scores<1, 16> scores;
      multiply_some(queries, keys + first * kHead, count - first, scores);
      measure(scores, factor);
    }
  }

  // ... then weights are made to add up to `weight`, ...
  __device__ void finish(float weight) {
#pragma unroll
    for (float& total : totals) total = __fdividef(weight, warp_reduce<Sum, 4>(total));
  }

  // ... and all scores go through here.
  __device__ void weigh(const Scores<1, 16>& scores, float factor, uint32_t (&weights)[4]) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int half = i % 2;
      const float* const pair = &scores[0][i / 2][2 * half];
      const float shift = -factor * maxima[half];
      weights[i] = pack_pair<T>(totals[half] * exp2_approx(fmaf(pair[0], factor, shift)),
                                totals[half] * exp2_approx(fmaf(pair[1], factor, shift)));
    }
  }
  __device__ void add(const Queries& queries, const T* keys, const T* values, int count, float factor,
                      AttentionState<T, kHead, 1>& state) const {
    for (int first = 0; first < count; first += 16) {
      Scores<1, 16> scores;
      multiply_some(queries, keys + first * kHead, count - first, scores);
      WeightFragments<1, 16> weights;
      weigh(scores, factor, weights[0][0]);
      state.template add_values<16>(weights, values + first * kHead);
    }
  }
};

}  // namespace ipai::cuda
