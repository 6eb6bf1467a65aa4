#include <cmath>

#include "ops/timestep_embedding/op.h"
#include "runtime/cpu_context.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

std::string validate(const TimestepEmbedding& attributes, const NodeTypes& types) {
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

float frequency(const TimestepEmbedding& attributes, int64_t i) {
  const auto half = static_cast<double>(attributes.dim / 2);
  const auto log_period = static_cast<float>(-std::log(static_cast<double>(attributes.max_period)));
  const auto steps = static_cast<float>(half - static_cast<double>(attributes.downscale_freq_shift));
  const float exponent = log_period * static_cast<float>(i) / steps;
  return static_cast<float>(std::exp(static_cast<double>(exponent)));
}

void run(const TimestepEmbedding& attributes, const NodeView& node, CpuContext& context) {
  const float* const timesteps = node.input(0).as<float>();
  float* const y = node.output().as<float>();
  const int64_t dim = attributes.dim;
  const int64_t half = dim / 2;
  const int64_t sine_column = attributes.flip_sin_to_cos ? half : 0;
  const int64_t cosine_column = half - sine_column;
  context.parallel_for(node.output().shape[0], [&](int64_t row, int) {
    float* const embedding = y + row * dim;
    for (int64_t i = 0; i < half; ++i) {
      const float angle = timesteps[row] * frequency(attributes, i);
      embedding[sine_column + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
      embedding[cosine_column + i] = static_cast<float>(std::cos(static_cast<double>(angle)));
    }
    if (dim % 2 != 0) embedding[dim - 1] = 0;
  });
}

}  // namespace

namespace ops {
Op timestep_embedding() {
  CpuOpSpec<TimestepEmbedding> spec;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
