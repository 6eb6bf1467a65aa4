// From a dtype known at run time to a type known to the compiler: `body` is called with a value of that type.
#pragma once

#include "runtime/dtype.h"

namespace ipai::cuda {

// The dtypes of activations (is_compute in runtime/type_checks.h).
template <class Body>
void with_element(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kFloat16:
      return body(Float16{});
    case DType::kBFloat16:
      return body(BFloat16{});
    default:
      return body(float{});
  }
}

}  // namespace ipai::cuda
