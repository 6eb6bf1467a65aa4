// concat: tensors that differ in one axis only, joined along it. Parts may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Concat {
  static constexpr const char* kName = "concat";
  static constexpr InputRole kInputs[] = {{"parts", InputRole::kVariadic}};

  uint32_t axis = 0;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("axis", axis);
  }
};

}  // namespace ipai
