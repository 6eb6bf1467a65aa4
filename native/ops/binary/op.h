// binary: two tensors of equal rank, element by element, axes of extent 1 repeated as in NumPy.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Binary {
  static constexpr const char* kName = "binary";
  static constexpr InputRole kInputs[] = {{"a"}, {"b"}};

  enum class Kind : uint8_t { kAdd, kSubtract, kMultiply } kind = Kind::kAdd;
  static constexpr const char* kKindNames[] = {"add", "subtract", "multiply"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }
};

}  // namespace ipai
