// scatter_rows: x [B, M, C], index int32 [B, M] -> float32 [B, rows, C], in which row r is the sum of the
// rows of x whose index is r. An index outside of [0, rows) is passed over.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct ScatterRows {
  static constexpr const char* kName = "scatter_rows";
  static constexpr InputRole kInputs[] = {{"x"}, {"index"}};

  uint32_t rows = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("rows", rows);
  }
};

}  // namespace ipai
