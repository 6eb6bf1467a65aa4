// Pairs of bfloat16 in the 32 bits of a lane, and their dot products: twice the operations of a fused
// multiply-add, with float32 sums; subnormal factors count as 0.
#pragma once

#include "cpu/vec.h"

#if defined(__AVX512BF16__)
namespace ipai::IPAI_TARGET {

// The pair at `address` in all lanes.
inline Vec broadcast_pair(const BFloat16* address) {
  int32_t pair;
  std::memcpy(&pair, address, sizeof(pair));
  return {_mm512_castsi512_ps(_mm512_set1_epi32(pair))};
}

inline Vec load_pairs(const BFloat16* address) {
  return {_mm512_loadu_ps(address)};
}

// sum + the products of a's and b's first elements + those of their second ones.
inline Vec dot_pairs(Vec a, Vec b, Vec sum) {
  return {_mm512_dpbf16_ps(sum.v, reinterpret_cast<__m512bh>(a.v), reinterpret_cast<__m512bh>(b.v))};
}

}  // namespace ipai::IPAI_TARGET
#endif
