// What attention ops ask of queries, keys and values, as sentences.
#pragma once

#include "runtime/type_checks.h"

namespace ipai {

// Why q, k and v cannot be attended to with that many heads; empty when they can. `k_name` and `v_name` are
// their roles.
inline std::string check_attention(const TensorType& q, const TensorType& k, const TensorType& v,
                                   uint32_t heads, const char* k_name, const char* v_name, Device device) {
  if (q.absent || q.shape.rank() != 3 || is_empty(q.shape) || !is_compute(q.dtype, device)) {
    return mismatch("q", compute_dtypes(device) + " [B, Nq, heads·D]", q);
  }
  if (heads == 0 || q.shape[2] % heads != 0) {
    return mismatch("q", "channels divisible by " + std::to_string(heads) + " heads", q);
  }
  if (k.absent || k.shape.rank() != 3 || is_empty(k.shape) || k.dtype != q.dtype ||
      k.shape[0] != q.shape[0] || k.shape[2] != q.shape[2]) {
    return mismatch(k_name, "q's type but for the number of tokens, " + describe(q), k);
  }
  return check_type(v_name, v, k.dtype, k.shape);
}

// Why numbers cannot be added to the scores of q and k; empty when they can, or are absent.
inline std::string check_mask(const TensorType& mask, const TensorType& q, const TensorType& k) {
  const bool fits =
      mask.absent || (mask.dtype == DType::kFloat32 && mask.shape.rank() == 3 &&
                      (mask.shape[0] == 1 || mask.shape[0] == q.shape[0]) &&
                      (mask.shape[1] == 1 || mask.shape[1] == q.shape[1]) && mask.shape[2] == k.shape[1]);
  if (fits) return {};
  return mismatch("mask", "float32 [B or 1, Nq or 1, Nk] for q " + describe(q) + " and k " + describe(k),
                  mask);
}

}  // namespace ipai
