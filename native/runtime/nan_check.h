// Looks for NaN in a tensor, for debugging runs.
#pragma once

#include <string>

#include "runtime/status.h"
#include "runtime/tensor_view.h"

namespace ipai {

// kNumeric when a dense tensor, an op's output, holds a NaN; the message has its row-major index.
Status check_for_nan(const TensorView& output, const std::string& op, const std::string& scope);

}  // namespace ipai
