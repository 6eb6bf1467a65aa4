// Attention with float32 operands, and with heads of sizes that the tensor cores have no plan for
// (attention_plan.h): those of no model that is published, but of small ones in tests.
#pragma once

#include "cuda/attention_operands.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {

inline constexpr int kLargestHead = 512;

// Keys and values [samples, count, heads · channels]; what is attended to counts `weights[sample]` times,
// once where that is null, and is not computed where it is 0.
template <class T>
struct WeightedKeys {
  const T* k;
  const T* v;
  int count;
  const float* weights;
};

template <class T>
struct AnyHeadOperands {
  const T* q;  // [samples, queries, heads · channels]
  T* output;   // may be q
  int queries;
  int heads;
  int channels;
  float factor;  // from products to scores in powers of 2
  AttentionMask mask;
  WeightedKeys<T> sets[2];
  int set_count;
};

// output = Σ over sets of weight · softmax(scores)·v, each with a softmax of its own.
template <class T>
void record_attention_any_head(const AnyHeadOperands<T>& operands, int64_t samples, CudaEncoder& encoder);

}  // namespace ipai::cuda
