// Vectors of float32 lanes, as wide as the target has them. Each kernel source is compiled once per target
// (IPAI_TARGET = portable, avx2, avx512, avx512_bf16) and lives in that target's namespace, so that one
// binary holds all of them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "runtime/dtype.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef IPAI_TARGET
#error "IPAI_TARGET must be portable, avx2, avx512 or avx512_bf16"
#endif

namespace ipai::IPAI_TARGET {

inline float to_float(float value) {
  return value;
}

inline float to_float(BFloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

inline void store_scalar(float* address, float value) {
  *address = value;
}

// Round to nearest even; NaN stays NaN (its payload's top bit is set so that truncation cannot make it
// infinite).
inline void store_scalar(BFloat16* address, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  address->bits = (bits & 0x7fffffffu) > 0x7f800000u
                      ? static_cast<uint16_t>((bits >> 16) | 0x40u)
                      : static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

#if defined(__AVX512F__)

struct Vec {
  static constexpr int kLanes = 16;
  __m512 v;

  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec load(const BFloat16* p) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16))};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store(BFloat16* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(bfloat16_bits(*this)));
  }
  // The bits of the lanes as bfloat16, in the lower half of 32.
  friend __m512i bfloat16_bits(Vec a) {
    const __m512i bits = _mm512_castps_si512(a.v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
    return _mm512_srli_epi32(_mm512_mask_blend_epi32(is_nan, rounded, quiet), 16);
  }
  friend Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
  friend Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
  friend Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
  // a * b + c
  friend Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  friend Vec round(Vec a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  // 2^n for integral n in [-126, 127]
  friend Vec exp2_integral(Vec n) {
    const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n.v), _mm512_set1_epi32(127));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23))};
  }
  friend float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
  friend float max_lane(Vec a) { return _mm512_reduce_max_ps(a.v); }
};

#elif defined(__AVX2__)

struct Vec {
  static constexpr int kLanes = 8;
  __m256 v;

  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec load(const BFloat16* p) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16))};
  }
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void store(BFloat16* p) const {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    const __m256i chosen = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, is_nan), 16);
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128(chosen), _mm256_extracti128_si256(chosen, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
  }
  friend Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
  friend Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
  friend Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
  friend Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  friend Vec round(Vec a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
  friend Vec exp2_integral(Vec n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23))};
  }
  friend float sum(Vec a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
  }
  friend float max_lane(Vec a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
  }
};

#else

// Four lanes in plain C++, which any compiler turns into the baseline's vectors (SSE2, NEON).
struct Vec {
  static constexpr int kLanes = 4;
  typedef float Lanes __attribute__((vector_size(16)));
  Lanes v;

  template <class F>
  static Vec make(F&& f) {
    return {Lanes{f(0), f(1), f(2), f(3)}};
  }
  static Vec zero() { return {Lanes{0, 0, 0, 0}}; }
  static Vec broadcast(float x) { return {Lanes{x, x, x, x}}; }
  template <class T>
  static Vec load(const T* p) {
    return make([&](int i) { return to_float(p[i]); });
  }
  template <class T>
  void store(T* p) const {
    for (int i = 0; i < 4; ++i) store_scalar(p + i, v[i]);
  }
  friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
  friend Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
  // As the vector instructions do, the second operand is returned when the first is NaN.
  friend Vec max(Vec a, Vec b) {
    return make([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
  }
  friend Vec min(Vec a, Vec b) {
    return make([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
  }
  friend Vec fma(Vec a, Vec b, Vec c) { return {a.v * b.v + c.v}; }
  friend Vec round(Vec a) {
    return make([&](int i) { return std::nearbyintf(a.v[i]); });
  }
  friend Vec exp2_integral(Vec n) {
    return make([&](int i) {
      const uint32_t bits = static_cast<uint32_t>(static_cast<int32_t>(n.v[i]) + 127) << 23;
      float result;
      std::memcpy(&result, &bits, sizeof(result));
      return result;
    });
  }
  friend float sum(Vec a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
  friend float max_lane(Vec a) {
    const float low = a.v[0] > a.v[1] ? a.v[0] : a.v[1];
    const float high = a.v[2] > a.v[3] ? a.v[2] : a.v[3];
    return low > high ? low : high;
  }
};

#endif

// Stores a kernel's result: as value.store(p), except that subnormal numbers may become 0.
template <class T>
void store_result(T* p, Vec value) {
  value.store(p);
}
#if defined(__AVX512BF16__)
inline void store_result(BFloat16* p, Vec value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(value.v)));
}
#endif

// The first `count` lanes (0 < count < kLanes) of an array that may end there; the others are zero.
template <class T>
Vec load_partial(const T* p, int count) {
  alignas(64) float lanes[Vec::kLanes] = {};
  for (int i = 0; i < count; ++i) lanes[i] = to_float(p[i]);
  return Vec::load(lanes);
}

template <class T>
void store_partial(T* p, Vec value, int count) {
  alignas(64) float lanes[Vec::kLanes];
  value.store(lanes);
  for (int i = 0; i < count; ++i) store_scalar(p + i, lanes[i]);
}

}  // namespace ipai::IPAI_TARGET
