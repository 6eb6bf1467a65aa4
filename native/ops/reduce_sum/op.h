// reduce_sum: sums over the axes that have extent 1 in `shape`, of equal rank: the gradient of broadcasting.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct ReduceSum {
  static constexpr const char* kName = "reduce_sum";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;
  DType dtype = DType::kFloat32;  // of the sums

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
    visit("dtype", dtype, kDTypeNames);
  }
};

}  // namespace ipai
