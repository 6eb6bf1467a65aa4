// Brings the weight of a 2-D convolution into the layout and dtype of the `conv2d` kernels.
#pragma once

#include "runtime/dtype.h"
#include "runtime/op.h"

namespace ipai {

struct PackConv2d {
  static constexpr const char* kName = "pack_conv2d";
  static constexpr InputRole kInputs[] = {{"weight"}};

  DType dtype = DType::kFloat32;
  ConvAlgorithm algorithm = ConvAlgorithm::kDirect;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
    visit("algorithm", algorithm, kConvAlgorithmNames);
  }
};

}  // namespace ipai
