// Ops that move elements need only their size: an unsigned integer of that size stands for the dtype.
#pragma once

#include "runtime/dtype.h"

namespace ipai {

template <class Body>
void with_element_bytes(DType dtype, Body&& body) {
  switch (dtype_size(dtype)) {
    case 1:
      return body(uint8_t{});
    case 2:
      return body(uint16_t{});
    default:
      return body(uint32_t{});
  }
}

}  // namespace ipai
