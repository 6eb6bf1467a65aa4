// geglu: x [..., 2C] -> [..., C], first half · gelu(second half), gelu by erf
// (Shazeer 2020, GLU Variants Improve Transformer, eq. 6).
#pragma once

#include "cpu/extents.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Geglu {
  static constexpr const char* kName = "geglu";
  static constexpr InputRole kInputs[] = {{"x"}};

  template <class Visitor>
  void fields(Visitor&&) {}

  static std::string validate(const Geglu&, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || x.shape.rank() < 1 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind) ||
        x.shape[-1] % 2 != 0) {
      return mismatch("x", compute_dtypes(types.device.kind) + " with an even last extent", x);
    }
    return check_type("output", types.outputs[0], x.dtype, with_extent(x.shape, -1, x.shape[-1] / 2));
  }
};

}  // namespace ipai
