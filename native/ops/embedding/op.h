// embedding: rows of a table, table [V, C], ids int32 [...] -> [..., C], converted to `dtype`.
// An id outside of [0, V) gives a row of NaN: ids are data, so that no earlier check can refuse them.
// The table may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Embedding {
  static constexpr const char* kName = "embedding";
  static constexpr InputRole kInputs[] = {{"table"}, {"ids"}};

  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
  }
};

}  // namespace ipai
