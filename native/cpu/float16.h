// Conversion of IEEE 754 binary16 (storage only) to and from float32.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// Exact. The half's exponent and fraction are moved to their places in a float, whose exponent bias is 112
// higher: multiplying by 2^112 corrects that and normalises subnormal halves in the same step.
inline float to_float(Float16 value) {
  const uint32_t magnitude = static_cast<uint32_t>(value.bits & 0x7fffu) << 13;
  float scaled;
  std::memcpy(&scaled, &magnitude, sizeof(scaled));
  scaled *= 0x1p112f;
  uint32_t bits;
  std::memcpy(&bits, &scaled, sizeof(bits));
  if (magnitude >= 0x0f800000u) bits |= 0x7f800000u;  // infinity or NaN
  bits |= static_cast<uint32_t>(value.bits & 0x8000u) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

// Rounds to nearest even; too large becomes infinite, NaN stays NaN.
inline void store_scalar(Float16* address, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half;
  if (magnitude > 0x7f800000u) {
    half = 0x7e00u;
  } else if (magnitude >= 0x47800000u) {  // 2^16 and above
    half = 0x7c00u;
  } else if (magnitude >=
             0x38800000u) {  // normal: 2^-14 and above; a carry out of the fraction is right as it is
    half = (magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  } else {
    // Subnormal: adding 0.5 leaves the value, rounded to multiples of 2^-24, in the low bits of the sum.
    float positive;
    std::memcpy(&positive, &magnitude, sizeof(positive));
    const float sum = positive + 0.5f;
    std::memcpy(&half, &sum, sizeof(half));
    half -= 0x3f000000u;
  }
  address->bits = static_cast<uint16_t>(sign | half);
}

}  // namespace ipai::IPAI_TARGET
