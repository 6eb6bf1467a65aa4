// Element types of tensors: their names (shared with TypeScript), sizes and 16-bit storage forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ipai {

enum class DType : uint8_t { kFloat32, kFloat16, kBFloat16, kInt32, kUInt8 };

inline constexpr const char* kDTypeNames[] = {"float32", "float16", "bfloat16", "int32", "uint8"};

constexpr const char* dtype_name(DType dtype) {
  return kDTypeNames[static_cast<int>(dtype)];
}

constexpr size_t dtype_size(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kUInt8:
      return 1;
  }
  return 0;
}

constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (int i = 0; i < 5; ++i) {
    if (name == kDTypeNames[i]) return static_cast<DType>(i);
  }
  return std::nullopt;
}

// Storage-only 16-bit floats: kernels convert to float32, compute, and convert back.
struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

}  // namespace ipai
