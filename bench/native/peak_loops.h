// Loops of nothing but multiply-adds in independent sums: the rates that kernels are measured against.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ipai::bench {

constexpr int kChains = 12;  // independent sums: more than latency x units

// Each loop returns the floating-point operations that it did; `sink` keeps them from being optimised away.
using PeakLoop = double (*)(int64_t steps, float* sink);

inline double portable_loop(int64_t steps, float* sink) {
  constexpr int kLanes = 4;
  float sums[kChains * kLanes];
  std::fill(std::begin(sums), std::end(sums), *sink);
  for (int64_t i = 0; i < steps; ++i) {
#if defined(__FMA__) || defined(__aarch64__)
    for (float& sum : sums) sum = std::fma(sum, 0.999f, 0.999f);
#else
    for (float& sum : sums) sum = sum * 0.999f + 0.999f;
#endif
  }
  for (const float sum : sums) *sink += sum;
  return 2.0 * kLanes * kChains * static_cast<double>(steps);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) inline double avx2_loop(int64_t steps, float* sink) {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(*sink);
  const __m256 factor = _mm256_set1_ps(0.999f);
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm256_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m256& sum : sums) *sink += _mm256_cvtss_f32(sum);
  return 2.0 * 8 * kChains * static_cast<double>(steps);
}

__attribute__((target("avx512f"))) inline double avx512_loop(int64_t steps, float* sink) {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512 factor = _mm512_set1_ps(0.999f);
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm512_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 16 * kChains * static_cast<double>(steps);
}

__attribute__((target("avx512f,avx512bf16"))) inline double avx512_bf16_loop(int64_t steps, float* sink) {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512bh factor = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm512_dpbf16_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 32 * kChains * static_cast<double>(steps);
}
#endif

}  // namespace ipai::bench
