// What kernels of attention's gradient are given.
#pragma once

#include "cuda/attention_lanes.h"
#include "cuda/attention_operands.h"

namespace ipai::cuda {

template <class T>
struct AttentionGradientOperands {
  const T* q;
  const T* k;
  const T* v;
  const T* output;
  const T* gradient;
  T* joined;    // [samples, queries + 2 · keys, heads · channels]
  float* logs;  // [samples, heads, queries]: log2 Σ 2^score
  float* dots;  // [samples, heads, queries]: rowsum(G ∘ O)
  AttentionMask mask;
  int queries;
  int keys;
  int heads;
  int channels;
  float scale;
  int blocks_per_head;

  template <class Rows>
  __device__ HeadRows<Rows> rows_of(Rows* tensor, int count, const AttentionPlace& place) const {
    return head_rows(tensor, count, heads, channels, place.sample, place.head);
  }
  // `count` tokens of the result from `first` on.
  __device__ HeadRows<T> results(int first, int count, const AttentionPlace& place) const {
    auto rows = rows_of(joined, queries + 2 * keys, place).from(first);
    rows.count = count;
    return rows;
  }
  // Of the head's first query, in `logs` and `dots`.
  __device__ int64_t first_of(const AttentionPlace& place) const {
    return (static_cast<int64_t>(place.sample) * heads + place.head) * queries;
  }
  // In powers of 2; `product` is that of the query and the key. A query beyond the last may be asked for.
  __device__ float score(float product, const AttentionPlace& place, int query, int key) const {
    return masked_score(product * scale * kLog2E, keys, mask, place.sample, min(query, queries - 1), key);
  }
};

}  // namespace ipai::cuda
