// What kernels of attention are given.
#pragma once

#include "cuda/attention_queries.h"
#include "runtime/type_checks.h"

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

inline AttentionMask mask_of(const TensorView& added, bool causal) {
  if (added.absent) return {nullptr, 0, 0, causal};
  return {added.as<const float>(), added.shape[0] == 1 ? 0 : added.shape[1] * added.shape[2],
          added.shape[1] == 1 ? 0 : added.shape[2], causal};
}

// A score in powers of 2, of one of `keys` keys, with what the mask adds to it or hides.
__device__ inline float masked_score(float score, int keys, const AttentionMask& mask, int sample, int query,
                                     int key) {
  if (key >= keys || (mask.causal && key > query)) return -INFINITY;
  if (mask.added == nullptr) return score;
  return fmaf(kLog2E, mask.added[sample * mask.sample_stride + query * mask.query_stride + key], score);
}

// Why kernels for heads of at most so many channels cannot take these queries; empty where they can.
inline std::string check_head_size(const TensorType& q, uint32_t heads, int largest) {
  if (q.shape[2] <= int64_t{heads} * largest) return {};
  return mismatch("q", "heads of at most " + std::to_string(largest) + " channels on CUDA", q) + " with " +
         std::to_string(heads) + (heads == 1 ? " head" : " heads");
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
