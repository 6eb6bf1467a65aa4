// Three passes: over x for the groups' statistics (group_moments.h), over x and the gradient for the means
// that the formula has, and over both for the result. Sums go from rows to chunks in float32, from chunks on
// in float64.
#include <algorithm>

#include "cpu/convert.h"
#include "cpu/group_moments.h"
#include "cpu/with_dtype.h"
#include "ops/group_norm_gradient/op.h"

namespace ipai::IPAI_TARGET {
namespace {

// Of a group: Σ g and Σ g·(x - mean).
struct Sums {
  double plain;
  double weighted;
};

struct Scratch {
  Scratch(const GroupChunks& plan, std::byte* memory)
      : moments(reinterpret_cast<Moments*>(memory)),
        sums(reinterpret_cast<Sums*>(moments + plan.tasks() * plan.groups)),
        means(reinterpret_cast<float*>(sums + plan.tasks() * plan.groups)),
        inverses(means + plan.samples * plan.padded_channels),
        offsets(inverses + plan.samples * plan.padded_channels),
        slopes(offsets + plan.samples * plan.padded_channels),
        scale(slopes + plan.samples * plan.padded_channels),
        thread_rows(scale + plan.padded_channels) {}

  static size_t bytes(const GroupChunks& plan, int thread_count) {
    const int64_t rows = 4 * plan.samples + 1 + 2 * thread_count;
    return static_cast<size_t>(plan.tasks() * plan.groups) * (sizeof(Moments) + sizeof(Sums)) +
           static_cast<size_t>(rows * plan.padded_channels) * sizeof(float);
  }

  Moments* moments;  // [samples, chunks, groups]
  Sums* sums;        // [samples, chunks, groups]
  // [samples, padded_channels], of each channel's group: its statistics, and what the result takes from the
  // gradient
  float *means, *inverses, *offsets, *slopes;
  float* scale;  // [padded_channels]
  float* thread_rows;
};

size_t scratch_bytes(const GroupNormGradient& attributes, const NodeTypes& types, int thread_count) {
  return Scratch::bytes(GroupChunks(types.inputs[GroupNormGradient::kX].shape, attributes.groups),
                        thread_count);
}

// body(c, load) for each vector of channels, where load(row) gives its part of a row.
template <class Body>
void for_each_vector(int64_t channels, Body body) {
  int64_t c = 0;
  for (; c + Vec::kLanes <= channels; c += Vec::kLanes) {
    body(c, [c](const auto* row) { return Vec::load(row + c); });
  }
  const int rest = static_cast<int>(channels - c);
  if (rest > 0) body(c, [c, rest](const auto* row) { return load_partial(row + c, rest); });
}

template <class T>
void sum_chunk(const GroupChunks& plan, int64_t task, const T* x, const T* gradient, const Scratch& scratch,
               int thread) {
  const float* const means = scratch.means + task / plan.chunks * plan.padded_channels;
  float* const plain = scratch.thread_rows + 2 * thread * plan.padded_channels;
  float* const weighted = plain + plan.padded_channels;
  const int64_t rows = plan.chunk_rows(task % plan.chunks);
  for_each_vector(plan.channels, [&](int64_t c, auto load) {
    const Vec mean = Vec::load(means + c);
    Vec sum = Vec::zero(), products = Vec::zero();
    for (int64_t row = 0; row < rows; ++row) {
      const Vec g = load(gradient + row * plan.channels);
      sum = sum + g;
      products = fma(g, load(x + row * plan.channels) - mean, products);
    }
    const Vec scale = Vec::load(scratch.scale + c);
    (sum * scale).store(plain + c);
    (products * scale).store(weighted + c);
  });
  for (int64_t group = 0; group < plan.groups; ++group) {
    Sums total{0, 0};
    for (int64_t c = group * plan.width(); c < (group + 1) * plan.width(); ++c) {
      total.plain += static_cast<double>(plain[c]);
      total.weighted += static_cast<double>(weighted[c]);
    }
    scratch.sums[task * plan.groups + group] = total;
  }
}

void spread_statistics(const GroupChunks& plan, int64_t sample, float epsilon, const Scratch& scratch) {
  for (int64_t group = 0; group < plan.groups; ++group) {
    const GroupStatistics of_group = group_statistics(plan, scratch.moments, sample, group, epsilon);
    const int64_t first = sample * plan.padded_channels + group * plan.width();
    std::fill_n(scratch.means + first, plan.width(), static_cast<float>(of_group.mean));
    std::fill_n(scratch.inverses + first, plan.width(), static_cast<float>(of_group.inverse));
  }
}

void spread_sums(const GroupChunks& plan, int64_t sample, const Scratch& scratch) {
  const auto size = static_cast<double>(plan.positions * plan.width());
  for (int64_t group = 0; group < plan.groups; ++group) {
    Sums total{0, 0};
    for (int64_t chunk = 0; chunk < plan.chunks; ++chunk) {
      const Sums& part = scratch.sums[(sample * plan.chunks + chunk) * plan.groups + group];
      total.plain += part.plain;
      total.weighted += part.weighted;
    }
    const int64_t first = sample * plan.padded_channels + group * plan.width();
    const auto inverse = static_cast<double>(scratch.inverses[first]);
    std::fill_n(scratch.offsets + first, plan.width(), static_cast<float>(total.plain / size));
    std::fill_n(scratch.slopes + first, plan.width(),
                static_cast<float>(total.weighted * inverse * inverse / size));
  }
}

template <class T>
void finish_chunk(const GroupChunks& plan, int64_t task, const T* x, const T* gradient, T* y,
                  const Scratch& scratch) {
  const int64_t first = task / plan.chunks * plan.padded_channels;
  const int64_t rows = plan.chunk_rows(task % plan.chunks);
  for_each_vector(plan.channels, [&](int64_t c, auto load) {
    const Vec mean = Vec::load(scratch.means + first + c), offset = Vec::load(scratch.offsets + first + c);
    const Vec inverse = Vec::load(scratch.inverses + first + c),
              slope = Vec::load(scratch.slopes + first + c);
    const Vec scale = Vec::load(scratch.scale + c);
    for (int64_t row = 0; row < rows; ++row) {
      const Vec deviation = load(x + row * plan.channels) - mean;
      const Vec g = load(gradient + row * plan.channels) * scale;
      const Vec result = (g - offset - deviation * slope) * inverse;
      T* const target = y + row * plan.channels + c;
      const auto lanes = static_cast<int>(std::min<int64_t>(Vec::kLanes, plan.channels - c));
      lanes == Vec::kLanes ? store_result(target, result) : store_partial(target, result, lanes);
    }
  });
}

template <class T>
void run_all(const GroupNormGradient& attributes, const NodeView& node, CpuContext& context) {
  const GroupChunks plan(node.input(GroupNormGradient::kX).shape, attributes.groups);
  const Scratch scratch(plan, context.scratch());
  const T* const x = node.input(GroupNormGradient::kX).as<T>();
  const T* const gradient = node.input(GroupNormGradient::kGradient).as<T>();
  T* const y = node.output().as<T>();
  std::fill_n(scratch.means, scratch.thread_rows - scratch.means, 0.0f);
  convert<float>(node.input(GroupNormGradient::kScale).data, scratch.scale, plan.channels);
  measure_groups(plan, x, scratch.thread_rows, scratch.moments, context);
  context.parallel_for(plan.samples, [&](int64_t sample, int) {
    spread_statistics(plan, sample, attributes.epsilon, scratch);
  });
  context.parallel_for(plan.tasks(), [&](int64_t task, int thread) {
    const int64_t first = plan.first_element(task);
    sum_chunk(plan, task, x + first, gradient + first, scratch, thread);
  });
  context.parallel_for(plan.samples, [&](int64_t sample, int) { spread_sums(plan, sample, scratch); });
  context.parallel_for(plan.tasks(), [&](int64_t task, int) {
    const int64_t first = plan.first_element(task);
    finish_chunk(plan, task, x + first, gradient + first, y + first, scratch);
  });
}

void run(const GroupNormGradient& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { run_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op group_norm_gradient() {
  CpuOpSpec<GroupNormGradient> spec;
  spec.in_place_inputs = {GroupNormGradient::kX, GroupNormGradient::kGradient};
  spec.validate = GroupNormGradient::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
