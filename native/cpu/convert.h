// Conversion of whole arrays between element types, by way of float32. Sources may lie at any byte offset, as
// the tensors of a memory-mapped file do.
#pragma once

#include <cstddef>

#include "cpu/float16.h"
#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// Rounds to nearest even, as static_cast does under the default rounding mode.
inline float to_float(int32_t value) {
  return static_cast<float>(value);
}

// Element `index` of an array of T that need not be aligned.
template <class T>
T read_unaligned(const void* array, int64_t index) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(array) + index * static_cast<int64_t>(sizeof(T)),
              sizeof(T));
  return value;
}

#if defined(__AVX512F__)
inline Vec load_lanes(const Float16* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline Vec load_lanes(const int32_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_loadu_si512(p))};
}
inline void store_lanes(Float16* p, Vec x) {
  const __m256i half = _mm512_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), half);
}
#elif defined(__AVX2__)
inline Vec load_lanes(const Float16* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline Vec load_lanes(const int32_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline void store_lanes(Float16* p, Vec x) {
  const __m128i half = _mm256_cvtps_ph(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), half);
}
#endif

#if defined(__AVX2__)
// The instructions behind these take any address.
inline Vec load_lanes(const float* p) {
  return Vec::load(p);
}
inline Vec load_lanes(const BFloat16* p) {
  return Vec::load(p);
}
template <class T>
void store_lanes(T* p, Vec x) {
  x.store(p);
}
#else
template <class T>
Vec load_lanes(const T* p) {
  return Vec::make([&](int i) { return to_float(read_unaligned<T>(p, i)); });
}
template <class T>
void store_lanes(T* p, Vec x) {
  for (int i = 0; i < Vec::kLanes; ++i) store_scalar(p + i, x.v[i]);
}
#endif

// target[i] = source[i] for i in [0, count). From is float, Float16, BFloat16 or int32_t; To is one of the
// floats.
template <class From, class To>
void convert(const void* source, To* target, int64_t count) {
  const From* const from = static_cast<const From*>(source);
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) store_lanes(target + i, load_lanes(from + i));
  for (; i < count; ++i) store_scalar(target + i, to_float(read_unaligned<From>(source, i)));
}

}  // namespace ipai::IPAI_TARGET
