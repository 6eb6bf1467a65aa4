// random_normal: normal noise in which element i depends only on (seed, i), so that any part of it can be
// made by any thread, on any CPU target, with equal bits. It serves models with random weights; it is not
// PyTorch's generator.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct RandomNormal {
  static constexpr const char* kName = "random_normal";
  static constexpr std::array<InputRole, 0> kInputs{};

  std::vector<int32_t> shape;
  uint32_t seed = 0;
  float mean = 0;
  float std = 1;
  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
    visit("seed", seed);
    visit("mean", mean);
    visit("std", std);
    visit("dtype", dtype, kDTypeNames);
  }

  static std::string validate(const RandomNormal& attributes, const NodeTypes& types) {
    const Shape shape(attributes.shape.begin(), attributes.shape.end());
    if (is_empty(shape)) return "shape: expected positive extents, at most 6; got " + shape.to_string();
    if (!is_float(attributes.dtype)) {
      return std::string("dtype: expected float32, float16 or bfloat16; got ") + dtype_name(attributes.dtype);
    }
    return check_type("output", types.outputs[0], attributes.dtype, shape);
  }
};

}  // namespace ipai
