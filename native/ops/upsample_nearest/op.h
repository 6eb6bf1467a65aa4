// upsample_nearest: x [B, H, W, C] -> [B, height, width, C], source row = floor(i·H / height), columns
// likewise.
#pragma once

#include "runtime/op.h"

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
};

}  // namespace ipai
