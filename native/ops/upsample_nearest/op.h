// upsample_nearest: x [B, H, W, C] -> [B, height, width, C], source row = floor(i·H / height), columns
// likewise.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct UpsampleNearest {
  static constexpr const char* kName = "upsample_nearest";
  static constexpr InputRole kInputs[] = {{"x"}};

  uint32_t height = 0;
  uint32_t width = 0;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("height", height);
    visit("width", width);
  }

  static std::string validate(const UpsampleNearest& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || x.shape.rank() != 4 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, H, W, C]", x);
    }
    if (attributes.height == 0 || attributes.width == 0) return "height, width: expected at least 1; got 0";
    const std::vector<int64_t> extents = {x.shape[0], attributes.height, attributes.width, x.shape[3]};
    return check_type("output", types.outputs[0], x.dtype, Shape(extents));
  }
};

}  // namespace ipai
