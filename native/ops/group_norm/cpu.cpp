// Two passes over x: the first measures the groups (group_moments.h), the second normalises.
#include <algorithm>
#include <cmath>

#include "cpu/convert.h"
#include "cpu/group_moments.h"
#include "cpu/math.h"
#include "cpu/with_dtype.h"
#include "ops/group_norm/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

using Plan = GroupChunks;

size_t moments_bytes(const Plan& plan) {
  return static_cast<size_t>(plan.tasks() * plan.groups) * sizeof(Moments);
}

struct Scratch {
  Scratch(const Plan& plan, std::byte* memory)
      : moments(reinterpret_cast<Moments*>(memory)),
        means(reinterpret_cast<float*>(memory + moments_bytes(plan))),
        factors(means + plan.samples * plan.padded_channels),
        shift(factors + plan.samples * plan.padded_channels),
        thread_rows(shift + plan.padded_channels) {}

  Moments* moments;  // [samples, chunks, groups]
  float* means;      // [samples, padded_channels]: of each channel's group
  float* factors;    // [samples, padded_channels]: scale / standard deviation
  float* shift;      // [padded_channels]
  float* thread_rows;
};

size_t scratch_bytes(const GroupNorm& attributes, const NodeTypes& types, int thread_count) {
  const Plan plan(types.inputs[GroupNorm::kX].shape, attributes.groups);
  // means and factors of each sample, the shift, and two rows of channels for each thread
  const int64_t rows = 2 * plan.samples + 1 + 2 * thread_count;
  return moments_bytes(plan) + static_cast<size_t>(rows * plan.padded_channels) * sizeof(float);
}

void prepare_sample(const Plan& plan, const void* scale, float epsilon, int64_t sample,
                    const Scratch& scratch) {
  const int64_t width = plan.width();
  float* const means = scratch.means + sample * plan.padded_channels;
  float* const factors = scratch.factors + sample * plan.padded_channels;
  for (int64_t group = 0; group < plan.groups; ++group) {
    const GroupStatistics of_group = group_statistics(plan, scratch.moments, sample, group, epsilon);
    for (int64_t c = group * width; c < (group + 1) * width; ++c) {
      means[c] = static_cast<float>(of_group.mean);
      factors[c] =
          static_cast<float>(static_cast<double>(read_unaligned<float>(scale, c)) * of_group.inverse);
    }
  }
}

template <class T, class Activate>
void normalize_row(const T* x, T* y, int64_t channels, const float* means, const float* factors,
                   const float* shift, Activate activate) {
  const auto normalize = [&](Vec v, int64_t c) {
    return activate(fma(v - Vec::load(means + c), Vec::load(factors + c), Vec::load(shift + c)));
  };
  int64_t c = 0;
  for (; c + Vec::kLanes <= channels; c += Vec::kLanes) store_result(y + c, normalize(Vec::load(x + c), c));
  const int rest = static_cast<int>(channels - c);
  if (rest > 0) store_partial(y + c, normalize(load_partial(x + c, rest), c), rest);
}

template <class T, class Activate>
void normalize(const Plan& plan, const T* x, T* y, const Scratch& scratch, CpuContext& context,
               Activate activate) {
  context.parallel_for(plan.tasks(), [&](int64_t task, int) {
    const int64_t sample = task / plan.chunks;
    const float* const means = scratch.means + sample * plan.padded_channels;
    const float* const factors = scratch.factors + sample * plan.padded_channels;
    for (int64_t row = 0; row < plan.chunk_rows(task % plan.chunks); ++row) {
      const int64_t offset = plan.first_element(task) + row * plan.channels;
      normalize_row(x + offset, y + offset, plan.channels, means, factors, scratch.shift, activate);
    }
  });
}

void run(const GroupNorm& attributes, const NodeView& node, CpuContext& context) {
  const Plan plan(node.input(GroupNorm::kX).shape, attributes.groups);
  const Scratch scratch(plan, context.scratch());
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const T* const x = node.input(GroupNorm::kX).as<T>();
    T* const y = node.output().as<T>();
    measure_groups(plan, x, scratch.thread_rows, scratch.moments, context);
    convert<float>(node.input(GroupNorm::kShift).data, scratch.shift, plan.channels);
    context.parallel_for(plan.samples, [&](int64_t sample, int) {
      prepare_sample(plan, node.input(GroupNorm::kScale).data, attributes.epsilon, sample, scratch);
    });
    if (attributes.activation == Activation::kSilu) {
      normalize(plan, x, y, scratch, context, [](Vec v) { return silu(v); });
    } else {
      normalize(plan, x, y, scratch, context, [](Vec v) { return v; });
    }
  });
}

}  // namespace

namespace ops {
Op group_norm() {
  CpuOpSpec<GroupNorm> spec;
  spec.in_place_inputs = {GroupNorm::kX};
  spec.validate = GroupNorm::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
