// From a dtype known at run time to a type known to the compiler: `body` is called with a value of that type.
#pragma once

#include "runtime/dtype.h"

namespace ipai {

// float32 and bfloat16, the dtypes of activations.
template <class Body>
void with_compute(DType dtype, Body&& body) {
  dtype == DType::kBFloat16 ? body(BFloat16{}) : body(float{});
}

// Any float.
template <class Body>
void with_float(DType dtype, Body&& body) {
  dtype == DType::kFloat16 ? body(Float16{}) : with_compute(dtype, body);
}

}  // namespace ipai
