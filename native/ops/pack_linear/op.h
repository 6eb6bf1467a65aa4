// Brings the weight of a linear layer into the layout and dtype of the `linear` kernels.
#pragma once

#include "runtime/dtype.h"
#include "runtime/op.h"

namespace ipai {

struct PackLinear {
  static constexpr const char* kName = "pack_linear";
  static constexpr InputRole kInputs[] = {{"weight"}};

  DType dtype = DType::kFloat32;
  // The layer feeds GEGLU: rows n and n + N/2 become neighbours.
  bool glu = false;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
    visit("glu", glu);
  }
};

}  // namespace ipai
