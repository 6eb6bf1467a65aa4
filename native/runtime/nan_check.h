// Looks for NaN in a tensor, for debugging runs.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/tensor_view.h"

namespace ipai {

// Row-major index of the first NaN of a dense floating-point tensor.
std::optional<int64_t> first_nan(const TensorView& tensor);

}  // namespace ipai
