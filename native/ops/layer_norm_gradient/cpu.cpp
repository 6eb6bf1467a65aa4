#include <algorithm>
#include <cmath>

#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/layer_norm_gradient/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

int64_t padded(int64_t channels) {
  return (channels + Vec::kLanes - 1) / Vec::kLanes * Vec::kLanes;
}

// Each thread's row of x and of the gradient, in float32 and whole vectors, and the scale.
size_t scratch_bytes(const LayerNormGradient&, const NodeTypes& types, int thread_count) {
  // The widest target's vectors; a narrower one's rows are no longer.
  const int64_t row = (types.inputs[LayerNormGradient::kX].shape[-1] + 15) / 16 * 16;
  return static_cast<size_t>((2 * thread_count + 1) * row) * sizeof(float);
}

template <class Function>
float mean_of(int64_t padded_count, int64_t count, Function function) {
  Vec total = Vec::zero();
  for (int64_t i = 0; i < padded_count; i += Vec::kLanes) total = total + function(i);
  return sum(total) / static_cast<float>(count);
}

// `x` and `g` are zero beyond the channels; g holds gradient · scale.
template <class T>
void finish_row(float* x, const float* g, int64_t channels, float epsilon, T* y) {
  const int64_t width = padded(channels);
  const Vec mean = Vec::broadcast(mean_of(width, channels, [&](int64_t i) { return Vec::load(x + i); }));
  for (int64_t i = 0; i < width; i += Vec::kLanes) (Vec::load(x + i) - mean).store(x + i);
  std::fill(x + channels, x + width, 0.0f);
  const float variance =
      mean_of(width, channels, [&](int64_t i) { return Vec::load(x + i) * Vec::load(x + i); });
  const Vec inverse = Vec::broadcast(1 / std::sqrt(variance + epsilon));
  const Vec g_mean = Vec::broadcast(mean_of(width, channels, [&](int64_t i) { return Vec::load(g + i); }));
  const auto normal = [&](int64_t i) { return Vec::load(x + i) * inverse; };
  const Vec slope =
      Vec::broadcast(mean_of(width, channels, [&](int64_t i) { return Vec::load(g + i) * normal(i); }));
  for (int64_t i = 0; i < width; i += Vec::kLanes) {
    ((Vec::load(g + i) - g_mean - normal(i) * slope) * inverse).store(x + i);
  }
  convert<float>(x, y, channels);
}

template <class T>
void run_rows(const LayerNormGradient& attributes, const NodeView& node, CpuContext& context) {
  const int64_t channels = node.output().shape[-1];
  const int64_t width = padded(channels);
  float* const scale = reinterpret_cast<float*>(context.scratch());
  std::fill_n(scale, width, 0.0f);
  if (node.input(LayerNormGradient::kScale).absent) {
    std::fill_n(scale, channels, 1.0f);
  } else {
    convert<float>(node.input(LayerNormGradient::kScale).data, scale, channels);
  }
  const int64_t rows = node.output().shape.size() / channels;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / channels);
  context.parallel_ranges(rows, grain, [&](int64_t begin, int64_t end, int thread) {
    float* const x = scale + (1 + 2 * thread) * width;
    float* const g = x + width;
    for (int64_t row = begin; row < end; ++row) {
      std::fill(x + channels, x + width, 0.0f);
      std::fill(g + channels, g + width, 0.0f);
      convert<T>(node.input(LayerNormGradient::kX).as<T>() + row * channels, x, channels);
      convert<T>(node.input(LayerNormGradient::kGradient).as<T>() + row * channels, g, channels);
      for (int64_t i = 0; i < width; i += Vec::kLanes) (Vec::load(g + i) * Vec::load(scale + i)).store(g + i);
      finish_row(x, g, channels, attributes.epsilon, node.output().as<T>() + row * channels);
    }
  });
}

void run(const LayerNormGradient& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { run_rows<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op layer_norm_gradient() {
  CpuOpSpec<LayerNormGradient> spec;
  spec.in_place_inputs = {LayerNormGradient::kX, LayerNormGradient::kGradient};
  spec.validate = LayerNormGradient::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
