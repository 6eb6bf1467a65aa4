#include "runtime/nan_check.h"

namespace ipai {
namespace {

// A float is NaN when, its sign apart, its bits are above those of infinity.
template <class Bits>
std::optional<int64_t> first_above(const TensorView& tensor, Bits magnitude, Bits infinity) {
  const Bits* const bits = tensor.as<const Bits>();
  const int64_t count = tensor.shape.size();
  for (int64_t i = 0; i < count; ++i) {
    if ((bits[i] & magnitude) > infinity) return i;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> first_nan(const TensorView& tensor) {
  switch (tensor.dtype) {
    case DType::kFloat32:
      return first_above<uint32_t>(tensor, 0x7fffffffu, 0x7f800000u);
    case DType::kFloat16:
      return first_above<uint16_t>(tensor, 0x7fff, 0x7c00);
    case DType::kBFloat16:
      return first_above<uint16_t>(tensor, 0x7fff, 0x7f80);
    case DType::kInt32:
    case DType::kUInt8:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ipai
