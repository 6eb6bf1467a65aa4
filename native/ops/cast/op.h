// cast: another element type. float32, float16, bfloat16 or int32 -> float32, float16 or bfloat16, rounded to
// nearest even; what is too large becomes infinite, NaN stays NaN. x may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Cast {
  static constexpr const char* kName = "cast";
  static constexpr InputRole kInputs[] = {{"x"}};

  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
  }

  static std::string validate(const Cast& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || is_empty(x.shape) || (!is_float(x.dtype) && x.dtype != DType::kInt32)) {
      return mismatch("x", "float32, float16, bfloat16 or int32", x);
    }
    if (!is_float(attributes.dtype)) {
      return std::string("dtype: expected float32, float16 or bfloat16; got ") + dtype_name(attributes.dtype);
    }
    return check_type("output", types.outputs[0], attributes.dtype, x.shape);
  }
};

}  // namespace ipai
