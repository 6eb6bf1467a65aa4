// Sentences for `validate`: which tensor, what was expected, what came.
#pragma once

#include <string>

#include "runtime/device_traits.h"
#include "runtime/tensor_view.h"

namespace ipai {

inline std::string describe(const TensorType& type) {
  return type.absent ? "nothing" : std::string(dtype_name(type.dtype)) + " " + type.shape.to_string();
}

// "x: expected float32 [4, 320]; got float32 [4, 640]"
inline std::string mismatch(const std::string& tensor, const std::string& expected, const TensorType& got) {
  return tensor + ": expected " + expected + "; got " + describe(got);
}

inline bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

// The dtypes that activations may have on a device, and how sentences name them.
inline bool is_compute(DType dtype, Device device = Device::kCpu) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16 ||
         (dtype == DType::kFloat16 && device == Device::kCuda);
}
inline std::string compute_dtypes(Device device) {
  return device == Device::kCuda ? "float32, float16 or bfloat16" : "float32 or bfloat16";
}

inline bool is_empty(const Shape& shape) {
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] <= 0) return true;
  }
  return false;
}

// Empty when `got` is exactly that (or absent, where it may be), else the sentence.
inline std::string check_type(const char* tensor, const TensorType& got, DType dtype, const Shape& shape) {
  if (!got.absent && got.dtype == dtype && got.shape == shape) return {};
  return mismatch(tensor, describe({dtype, shape, false}), got);
}
inline std::string check_optional_type(const char* tensor, const TensorType& got, DType dtype,
                                       const Shape& shape) {
  return got.absent ? std::string() : check_type(tensor, got, dtype, shape);
}

}  // namespace ipai
