// broadcast_to: axes of extent 1 repeated to the given shape of equal rank. x may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct BroadcastTo {
  static constexpr const char* kName = "broadcast_to";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
  }
};

}  // namespace ipai
