// Mean and variance of the groups of channels of pictures [B, ..., C], channels last: each chunk of positions
// (as much as stays in the cache) is taken twice, for its means and then for the squared deviations from
// them; channels are merged to groups and chunks to samples in float64. Chunks depend on the shape only, so
// that results do not depend on the threads.
#pragma once

#include <algorithm>
#include <cmath>

#include "cpu/channel_moments.h"
#include "runtime/cpu_context.h"
#include "runtime/tensor_view.h"

namespace ipai::IPAI_TARGET {

struct GroupChunks {
  static constexpr int64_t kElements = 32768;  // of a chunk

  GroupChunks(const Shape& x, int64_t group_count)
      : samples(x[0]),
        positions(x.size(1, x.rank() - 1)),
        channels(x[-1]),
        groups(group_count),
        padded_channels((channels + 15) / 16 * 16),
        chunk(std::min(positions, std::max<int64_t>(4, kElements / channels))),
        chunks((positions + chunk - 1) / chunk) {}

  int64_t chunk_rows(int64_t index) const { return std::min(chunk, positions - index * chunk); }
  // First element of a chunk in x; tasks go through the chunks of all samples.
  int64_t first_element(int64_t task) const {
    return (task / chunks * positions + task % chunks * chunk) * channels;
  }
  int64_t tasks() const { return samples * chunks; }
  int64_t width() const { return channels / groups; }

  int64_t samples, positions, channels, groups;
  int64_t padded_channels;  // whole vectors of every target
  int64_t chunk;            // positions of one task
  int64_t chunks;           // of each sample
};

// Of each chunk and group: moments [samples, chunks, groups]. `thread_rows` has two rows of padded channels
// for each thread.
template <class T>
void measure_groups(const GroupChunks& plan, const T* x, float* thread_rows, Moments* moments,
                    CpuContext& context) {
  context.parallel_for(plan.tasks(), [&](int64_t task, int thread) {
    float* const means = thread_rows + 2 * thread * plan.padded_channels;
    group_moments(x + plan.first_element(task), plan.chunk_rows(task % plan.chunks), plan.channels,
                  plan.groups, means, means + plan.padded_channels, moments + task * plan.groups);
  });
}

struct GroupStatistics {
  double mean;
  double inverse;  // 1 / sqrt(variance + epsilon)
};

// Of a group of one sample, from its chunks, all but the last of which are equally large.
inline GroupStatistics group_statistics(const GroupChunks& plan, const Moments* moments, int64_t sample,
                                        int64_t group, float epsilon) {
  const Moments* const parts = moments + sample * plan.chunks * plan.groups + group;
  double total = 0;
  for (int64_t i = 0; i < plan.chunks; ++i) {
    total += parts[i * plan.groups].mean * static_cast<double>(plan.chunk_rows(i));
  }
  const double mean = total / static_cast<double>(plan.positions);
  double squares = 0;
  for (int64_t i = 0; i < plan.chunks; ++i) {
    const double difference = parts[i * plan.groups].mean - mean;
    const auto size = static_cast<double>(plan.chunk_rows(i) * plan.width());
    squares += parts[i * plan.groups].squares + size * difference * difference;
  }
  const auto size = static_cast<double>(plan.positions * plan.width());
  return {mean, 1 / std::sqrt(squares / size + static_cast<double>(epsilon))};
}

}  // namespace ipai::IPAI_TARGET
