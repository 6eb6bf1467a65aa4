#include <cmath>

#include "ops/timestep_embedding/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

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
  spec.validate = TimestepEmbedding::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
