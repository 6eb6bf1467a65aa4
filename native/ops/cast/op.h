// cast: another element type. float32, float16, bfloat16 or int32 -> float32, float16 or bfloat16, rounded to
// nearest even; what is too large becomes infinite, NaN stays NaN. x may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Cast {
  static constexpr const char* kName = "cast";
  static constexpr InputRole kInputs[] = {{"x"}};

  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
  }
};

}  // namespace ipai
