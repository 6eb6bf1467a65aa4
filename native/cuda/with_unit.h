// Kernels that move elements need only sizes: an integer of 1 to 16 bytes stands for what one thread moves.
#pragma once

#include "cuda/platform.h"

namespace ipai::cuda {

inline constexpr int64_t kLargestUnit = 16;

// The largest unit, in bytes, of which `bits` are multiples: the bitwise or of addresses, strides and
// lengths.
constexpr int64_t unit_that_divides(int64_t bits) {
  bits |= kLargestUnit;
  return bits & -bits;
}

// body(value of the integer type of that many bytes)
template <class Body>
void with_unit(int64_t bytes, Body&& body) {
  switch (bytes) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    case 4:
      return body(uint32_t{});
    case 8:
      return body(uint64_t{});
    default:
      return body(uint4{});
  }
}

}  // namespace ipai::cuda
