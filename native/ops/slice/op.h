// slice: elements start ... start + length of one axis. x may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Slice {
  static constexpr const char* kName = "slice";
  static constexpr InputRole kInputs[] = {{"x"}};

  uint32_t axis = 0;
  uint32_t start = 0;
  uint32_t length = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("axis", axis);
    visit("start", start);
    visit("length", length);
  }
};

}  // namespace ipai
