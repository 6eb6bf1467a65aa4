#include "runtime/nan_check.h"

#include <cstdint>
#include <optional>

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

// Row-major index of the first NaN.
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

}  // namespace

Status check_for_nan(const TensorView& output, const std::string& op, const std::string& scope) {
  const auto nan = first_nan(output);
  if (!nan) return Status::success();
  return {ErrorCode::kNumeric,
          op + ": the output " + dtype_name(output.dtype) + output.shape.to_string() +
              " has a NaN at element " + std::to_string(*nan) + ".",
          scope};
}

}  // namespace ipai
