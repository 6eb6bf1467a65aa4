// The loop over the tiles of an attention op.
#pragma once

#include "cpu/attention_layout.h"
#include "cpu/attention_tile.h"
#include "cpu/with_dtype.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {

// Of attend_tiles.
inline size_t attention_scratch_bytes(const TensorType& q, int64_t heads, int results, int thread_count) {
  size_t bytes = 0;
  with_compute(q.dtype, [&](auto element) {
    bytes = AttentionTile<decltype(element)>::bytes(q.shape[2] / heads, results);
  });
  return bytes * static_cast<size_t>(thread_count);
}

// The keys and values of a task's head.
template <class T>
KeysAndValues<T> keys_and_values(const TensorView& k, const TensorView& v, const AttentionTasks::Task& task,
                                 int64_t heads) {
  return {head_begin(k.as<T>(), k.shape, task.sample, 0, task.head, heads),
          head_begin(v.as<T>(), v.shape, task.sample, 0, task.head, heads), k.shape[2], k.shape[1]};
}

// attend(tile, task) for each tile of queries, to fill up to `results` results; it returns how many, and
// their sum is written. A task reads its queries before it writes their results, and nobody else's: output
// may be q.
template <class T, class Attend>
void attend_tiles(const TensorView& q, const TensorView& output, int64_t heads, float scale, int results,
                  CpuContext& context, Attend&& attend) {
  using Tile = AttentionTile<T>;
  const int64_t channels = q.shape[2];
  const int64_t head_size = channels / heads;
  const auto bytes = static_cast<int64_t>(Tile::bytes(head_size, results));
  const AttentionTasks tasks(q.shape, heads, Tile::max_queries(head_size), Vec::kLanes);
  context.parallel_for(tasks.count(), [&](int64_t index, int thread) {
    const AttentionTasks::Task task = tasks.task(index);
    const auto rows_of = [&](const TensorView& x) {
      return head_begin(x.as<T>(), x.shape, task.sample, task.first_query, task.head, heads);
    };
    Tile tile(context.scratch() + thread * bytes, head_size, results, scale);
    tile.load_queries(rows_of(q), channels, task.queries);
    tile.write(rows_of(output), channels, attend(tile, task));
  });
}

}  // namespace ipai::IPAI_TARGET
