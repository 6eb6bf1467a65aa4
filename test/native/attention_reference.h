// softmax(scale · q·kᵀ + mask)·v in float64, and what attention tests share.
#pragma once

#include "checks.h"
#include "rounded_weights.h"

namespace ipai::test {

struct AttentionCase {
  int64_t batch, queries, keys, heads, head_size;
  bool causal = false;
  std::vector<int64_t> mask = {};  // extents; empty for none
  DType dtype = DType::kFloat32;

  int64_t channels() const { return heads * head_size; }
  float scale() const { return static_cast<float>(1 / std::sqrt(static_cast<double>(head_size))); }
  HostTensor tokens(int64_t count, uint32_t seed) const {
    return HostTensor::random(dtype, {batch, count, channels()}, seed);
  }
};

// The scores' extra term for one query and key; -infinity where causality hides the key.
inline double score_shift(const AttentionCase& c, const HostTensor& mask, int64_t b, int64_t query,
                          int64_t key) {
  if (c.causal && key > query) return -std::numeric_limits<double>::infinity();
  if (mask.type().absent) return 0;
  const Shape& shape = mask.type().shape;
  return mask.at(((shape[0] == 1 ? 0 : b) * shape[1] + (shape[1] == 1 ? 0 : query)) * shape[2] + key);
}

// [B, Nq, channels]; queries without visible keys give zeros.
inline std::vector<double> attention_reference(const AttentionCase& c, const HostTensor& q,
                                               const HostTensor& k, const HostTensor& v,
                                               const HostTensor& mask = {}) {
  const int64_t keys = k.type().shape[1];
  std::vector<double> result(static_cast<size_t>(c.batch * c.queries * c.channels()), 0.0);
  std::vector<double> weights(static_cast<size_t>(keys));
  for (int64_t row = 0; row < c.batch * c.queries * c.heads; ++row) {
    const int64_t head = row % c.heads;
    const int64_t query = row / c.heads % c.queries;
    const int64_t b = row / c.heads / c.queries;
    const int64_t first = (b * c.queries + query) * c.channels() + head * c.head_size;
    const auto key_at = [&](int64_t key) { return (b * keys + key) * c.channels() + head * c.head_size; };
    double maximum = -std::numeric_limits<double>::infinity();
    for (int64_t key = 0; key < keys; ++key) {
      double dot = 0;
      for (int64_t d = 0; d < c.head_size; ++d) dot += q.at(first + d) * k.at(key_at(key) + d);
      const double score = dot * static_cast<double>(c.scale()) + score_shift(c, mask, b, query, key);
      weights[static_cast<size_t>(key)] = score;
      maximum = std::max(maximum, score);
    }
    if (std::isinf(maximum)) continue;
    double total = 0;
    for (double& weight : weights) total += weight = std::exp(weight - maximum);
    for (int64_t key = 0; key < keys; ++key) {
      const double weight = weights[static_cast<size_t>(key)] / total;
      for (int64_t d = 0; d < c.head_size; ++d) {
        result[static_cast<size_t>(first + d)] += weight * v.at(key_at(key) + d);
      }
    }
  }
  return result;
}

// The same with |v|: what bounds the error of rounded weights.
inline std::vector<double> attention_of_magnitudes(const AttentionCase& c, const HostTensor& q,
                                                   const HostTensor& k, const HostTensor& v,
                                                   const HostTensor& mask = {}) {
  HostTensor magnitudes = v.clone();
  for (int64_t i = 0; i < v.type().shape.size(); ++i) magnitudes.set(i, std::fabs(v.at(i)));
  return attention_reference(c, q, k, magnitudes, mask);
}

}  // namespace ipai::test
