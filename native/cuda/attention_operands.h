// What kernels of the op attention are given.
#pragma once

#include "cuda/attention_queries.h"

namespace ipai::cuda {

template <class T>
struct AttentionOperands {
  const T* q;
  const T* k;
  const T* v;
  T* output;  // may be q: queries are read before their results are written, and by nobody else
  int queries;
  int keys;
  int heads;
  ScoreFactor factor;
  int blocks_per_head;
};

struct AttentionMask {
  const float* added;  // to the scores; may be null
  int64_t sample_stride;
  int64_t query_stride;
  bool causal;
};

// From the product of a query and a key to their score in powers of 2.
template <class T>
__device__ inline float masked_score(float product, const AttentionOperands<T>& x, const AttentionMask& mask,
                                     int sample, int query, int key) {
  if (key >= x.keys || (mask.causal && key > query)) return -INFINITY;
  const float score = product * x.factor.magnitude;
  if (mask.added == nullptr || query >= x.queries) return score;
  return fmaf(kLog2E, mask.added[sample * mask.sample_stride + query * mask.query_stride + key], score);
}

// Which queries a block takes.
struct AttentionPlace {
  int block;  // of its head
  int head;
  int sample;
};

__device__ inline AttentionPlace attention_place(int blocks_per_head, int heads) {
  const int index = static_cast<int>(blockIdx.x);
  return {index % blocks_per_head, index / blocks_per_head % heads, index / blocks_per_head / heads};
}

}  // namespace ipai::cuda
