// Brings the weight of a 2-D convolution into the layout and dtype of the `conv2d` kernels.
#pragma once

#include "runtime/dtype.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

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

  static std::string validate(const PackConv2d& attributes, const NodeTypes& types) {
    const TensorType& weight = types.inputs[0];
    if (weight.absent || weight.shape.rank() != 4 || is_empty(weight.shape) || !is_float(weight.dtype)) {
      return mismatch("weight", "floats [O, I, kh, kw]", weight);
    }
    if (!is_compute(attributes.dtype, types.device.kind)) {
      return "dtype: expected " + compute_dtypes(types.device.kind) + "; got " + dtype_name(attributes.dtype);
    }
    const bool is_3x3 = weight.shape[2] == 3 && weight.shape[3] == 3;
    if (attributes.algorithm != ConvAlgorithm::kDirect && !is_3x3) {
      return mismatch("weight", "a kernel of 3x3, as Winograd's algorithm takes", weight);
    }
    return check_type("output", types.outputs[0], attributes.dtype, weight.shape);
  }
};

}  // namespace ipai
