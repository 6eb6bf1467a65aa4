#include <algorithm>
#include <cmath>

#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/layer_norm/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

size_t scratch_bytes(const LayerNorm&, const NodeTypes& types, int) {
  return 2 * static_cast<size_t>(types.inputs[LayerNorm::kX].shape[-1]) * sizeof(float);
}

// Σ function(row[i]), in two interleaved sums so that additions need not wait for each other.
template <class T, class Function>
float sum_row(const T* row, int64_t count, Function function) {
  Vec even = Vec::zero();
  Vec odd = Vec::zero();
  int64_t i = 0;
  for (; i + 2 * Vec::kLanes <= count; i += 2 * Vec::kLanes) {
    even = even + function(Vec::load(row + i));
    odd = odd + function(Vec::load(row + i + Vec::kLanes));
  }
  if (i + Vec::kLanes <= count) {
    even = even + function(Vec::load(row + i));
    i += Vec::kLanes;
  }
  float total = sum(even + odd);
  if (i < count) {
    alignas(64) float rest[Vec::kLanes];
    function(load_partial(row + i, static_cast<int>(count - i))).store(rest);
    for (int64_t lane = 0; lane < count - i; ++lane) total += rest[lane];
  }
  return total;
}

template <class X, class Y>
void normalize_row(const X* x, Y* y, int64_t channels, const float* scale, const float* shift,
                   float epsilon) {
  const auto count = static_cast<float>(channels);
  const Vec mean = Vec::broadcast(sum_row(x, channels, [](Vec v) { return v; }) / count);
  const float variance = sum_row(x, channels, [&](Vec v) { return (v - mean) * (v - mean); }) / count;
  const Vec inverse = Vec::broadcast(1 / std::sqrt(variance + epsilon));
  int64_t i = 0;
  for (; i + Vec::kLanes <= channels; i += Vec::kLanes) {
    const Vec normal = (Vec::load(x + i) - mean) * inverse;
    store_result(y + i, fma(normal, Vec::load(scale + i), Vec::load(shift + i)));
  }
  const int rest = static_cast<int>(channels - i);
  if (rest > 0) {
    const Vec normal = (load_partial(x + i, rest) - mean) * inverse;
    store_partial(y + i, fma(normal, load_partial(scale + i, rest), load_partial(shift + i, rest)), rest);
  }
}

// An aligned copy of a parameter, or a constant in its place.
void load_parameter(const TensorView& parameter, float otherwise, int64_t channels, float* target) {
  if (parameter.absent) {
    std::fill_n(target, channels, otherwise);
  } else {
    convert<float>(parameter.data, target, channels);
  }
}

void run(const LayerNorm& attributes, const NodeView& node, CpuContext& context) {
  const int64_t channels = node.output().shape[-1];
  float* const scale = reinterpret_cast<float*>(context.scratch());
  float* const shift = scale + channels;
  load_parameter(node.input(LayerNorm::kScale), 1, channels, scale);
  load_parameter(node.input(LayerNorm::kShift), 0, channels, shift);
  const int64_t rows = node.output().shape.size() / channels;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / channels);
  const auto normalize = [&](const auto* x, auto* y) {
    context.parallel_ranges(rows, grain, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        normalize_row(x + row * channels, y + row * channels, channels, scale, shift, attributes.epsilon);
      }
    });
  };
  const TensorView& x = node.input(LayerNorm::kX);
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    T* const y = node.output().as<T>();
    if (x.dtype == DType::kFloat32) return normalize(x.as<float>(), y);
    normalize(x.as<T>(), y);
  });
}

}  // namespace

namespace ops {
Op layer_norm() {
  CpuOpSpec<LayerNorm> spec;
  spec.in_place_inputs = {LayerNorm::kX};
  spec.validate = LayerNorm::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
