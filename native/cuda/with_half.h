// As with_element.h, for kernels on the tensor cores: the dtypes of 16 bits, and what to say to others.
#pragma once

#include <string>

#include "runtime/dtype.h"

namespace ipai::cuda {

template <class Body>
void with_half(DType dtype, Body&& body) {
  if (dtype == DType::kFloat16) return body(Float16{});
  return body(BFloat16{});
}

// Empty for the dtypes of with_half, else why the tensor cores do not take `what`, as a sentence.
inline std::string check_half(const std::string& what, DType dtype) {
  if (dtype == DType::kFloat16 || dtype == DType::kBFloat16) return {};
  return what + ": expected float16 or bfloat16, as the tensor cores take; got " + dtype_name(dtype);
}

}  // namespace ipai::cuda
