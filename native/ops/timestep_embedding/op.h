// timestep_embedding: sinusoids of timesteps, [S] -> [S, dim] (Vaswani et al. 2017, section 3.5), as
// diffusers' get_timestep_embedding: frequency i of dim/2 is max_period^(-i / (dim/2 -
// downscale_freq_shift)); sines stand before cosines, or after them with flip_sin_to_cos; an odd dim ends in
// a column of zeros.
//
// Every step is rounded to float32 as PyTorch's float32 arithmetic does, because a timestep of 1000 magnifies
// the rounding of its frequency a thousand times. What remains is that PyTorch's own exp is not rounded
// correctly everywhere: a few frequencies in a hundred differ by one unit in the last place.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct TimestepEmbedding {
  static constexpr const char* kName = "timestep_embedding";
  static constexpr InputRole kInputs[] = {{"timesteps"}};

  uint32_t dim = 2;
  bool flip_sin_to_cos = false;
  float downscale_freq_shift = 1;
  float max_period = 10000;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dim", dim);
    visit("flip_sin_to_cos", flip_sin_to_cos);
    visit("downscale_freq_shift", downscale_freq_shift);
    visit("max_period", max_period);
  }

  static std::string validate(const TimestepEmbedding& attributes, const NodeTypes& types) {
    const TensorType& timesteps = types.inputs[0];
    if (timesteps.absent || timesteps.shape.rank() != 1 || is_empty(timesteps.shape) ||
        timesteps.dtype != DType::kFloat32) {
      return mismatch("timesteps", "float32 [S]", timesteps);
    }
    if (attributes.dim < 2) return "dim: expected at least 2; got " + std::to_string(attributes.dim);
    if (!(attributes.max_period > 0)) {
      return "max_period: expected a positive number; got " + std::to_string(attributes.max_period);
    }
    if (!(attributes.downscale_freq_shift < static_cast<float>(attributes.dim / 2))) {
      return "downscale_freq_shift: expected less than dim / 2; got " +
             std::to_string(attributes.downscale_freq_shift);
    }
    const std::vector<int64_t> extents = {timesteps.shape[0], attributes.dim};
    return check_type("output", types.outputs[0], DType::kFloat32, Shape(extents));
  }
};

}  // namespace ipai
