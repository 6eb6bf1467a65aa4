// affine: y = x · scale + offset, with two numbers for the whole tensor.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Affine {
  static constexpr const char* kName = "affine";
  static constexpr InputRole kInputs[] = {{"x"}};

  float scale = 1;
  float offset = 0;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("scale", scale);
    visit("offset", offset);
  }

  static std::string validate(const Affine&, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    const TensorType& y = types.outputs[0];
    if (is_empty(x.shape) || !is_compute(x.dtype, types.device.kind))
      return "x must be " + compute_dtypes(types.device.kind) + ", not empty";
    if (y.dtype != x.dtype || y.shape != x.shape) return "the output must have the type of x";
    return "";
  }
};

}  // namespace ipai
