// Two passes over x. The first takes each chunk of positions (as much as stays in the cache) twice, for its
// means and then for the squared deviations from them, and merges channels to groups and chunks to samples in
// float64. The second normalises. Chunks depend on the shape only, so that results do not depend on the
// threads.
#include <algorithm>
#include <cmath>

#include "cpu/convert.h"
#include "cpu/math.h"
#include "cpu/with_dtype.h"
#include "ops/group_norm/channel_moments.h"
#include "ops/group_norm/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kChunkElements = 32768;

int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

struct Plan {
  Plan(const GroupNorm& attributes, const Shape& x)
      : samples(x[0]),
        positions(x.size(1, x.rank() - 1)),
        channels(x[-1]),
        groups(attributes.groups),
        padded_channels(divide_up(channels, 16) * 16),
        chunk(std::min(positions, std::max<int64_t>(4, kChunkElements / channels))),
        chunks(divide_up(positions, chunk)) {}

  int64_t chunk_rows(int64_t index) const { return std::min(chunk, positions - index * chunk); }
  size_t moments_bytes() const { return static_cast<size_t>(samples * chunks * groups) * sizeof(Moments); }
  // means and factors of each sample, the shift, and two rows of channels for each thread
  size_t rows_bytes(int threads) const {
    return static_cast<size_t>((2 * samples + 1 + 2 * threads) * padded_channels) * sizeof(float);
  }

  int64_t samples, positions, channels, groups;
  int64_t padded_channels;  // whole vectors of every target
  int64_t chunk;            // positions of one task
  int64_t chunks;           // of each sample
};

struct Scratch {
  Scratch(const Plan& plan, std::byte* memory)
      : moments(reinterpret_cast<Moments*>(memory)),
        means(reinterpret_cast<float*>(memory + plan.moments_bytes())),
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
  const Plan plan(attributes, types.inputs[GroupNorm::kX].shape);
  return plan.moments_bytes() + plan.rows_bytes(thread_count);
}

template <class T>
void measure(const Plan& plan, const T* x, const Scratch& scratch, CpuContext& context) {
  context.parallel_for(plan.samples * plan.chunks, [&](int64_t task, int thread) {
    const int64_t sample = task / plan.chunks;
    const int64_t chunk = task % plan.chunks;
    const T* const rows = x + (sample * plan.positions + chunk * plan.chunk) * plan.channels;
    float* const means = scratch.thread_rows + 2 * thread * plan.padded_channels;
    group_moments(rows, plan.chunk_rows(chunk), plan.channels, plan.groups, means,
                  means + plan.padded_channels, scratch.moments + task * plan.groups);
  });
}

// Merges a group's chunks, all but the last of which are equally large.
Moments sample_moments(const Plan& plan, const Moments* chunks, int64_t group) {
  const auto width = static_cast<double>(plan.channels / plan.groups);
  double total = 0;
  for (int64_t i = 0; i < plan.chunks; ++i) {
    total += chunks[i * plan.groups + group].mean * static_cast<double>(plan.chunk_rows(i));
  }
  const double mean = total / static_cast<double>(plan.positions);
  double squares = 0;
  for (int64_t i = 0; i < plan.chunks; ++i) {
    const Moments& part = chunks[i * plan.groups + group];
    const double difference = part.mean - mean;
    squares += part.squares + static_cast<double>(plan.chunk_rows(i)) * width * difference * difference;
  }
  return {mean, squares};
}

void prepare_sample(const Plan& plan, const void* scale, float epsilon, int64_t sample,
                    const Scratch& scratch) {
  const int64_t width = plan.channels / plan.groups;
  const auto size = static_cast<double>(plan.positions * width);
  float* const means = scratch.means + sample * plan.padded_channels;
  float* const factors = scratch.factors + sample * plan.padded_channels;
  for (int64_t group = 0; group < plan.groups; ++group) {
    const Moments moments = sample_moments(plan, scratch.moments + sample * plan.chunks * plan.groups, group);
    const double inverse = 1 / std::sqrt(moments.squares / size + static_cast<double>(epsilon));
    for (int64_t c = group * width; c < (group + 1) * width; ++c) {
      means[c] = static_cast<float>(moments.mean);
      factors[c] = static_cast<float>(static_cast<double>(read_unaligned<float>(scale, c)) * inverse);
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
  for (; c + Vec::kLanes <= channels; c += Vec::kLanes) normalize(Vec::load(x + c), c).store(y + c);
  const int rest = static_cast<int>(channels - c);
  if (rest > 0) store_partial(y + c, normalize(load_partial(x + c, rest), c), rest);
}

template <class T, class Activate>
void normalize(const Plan& plan, const T* x, T* y, const Scratch& scratch, CpuContext& context,
               Activate activate) {
  context.parallel_for(plan.samples * plan.chunks, [&](int64_t task, int) {
    const int64_t sample = task / plan.chunks;
    const int64_t chunk = task % plan.chunks;
    const float* const means = scratch.means + sample * plan.padded_channels;
    const float* const factors = scratch.factors + sample * plan.padded_channels;
    const int64_t first = (sample * plan.positions + chunk * plan.chunk) * plan.channels;
    for (int64_t row = 0; row < plan.chunk_rows(chunk); ++row) {
      const int64_t offset = first + row * plan.channels;
      normalize_row(x + offset, y + offset, plan.channels, means, factors, scratch.shift, activate);
    }
  });
}

void run(const GroupNorm& attributes, const NodeView& node, CpuContext& context) {
  const Plan plan(attributes, node.input(GroupNorm::kX).shape);
  const Scratch scratch(plan, context.scratch());
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const T* const x = node.input(GroupNorm::kX).as<T>();
    T* const y = node.output().as<T>();
    measure(plan, x, scratch, context);
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
