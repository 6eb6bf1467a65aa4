// Runs programs, one at a time, with one thread team and one arena.
#pragma once

#include <atomic>

#include "runtime/arena.h"
#include "runtime/job.h"
#include "runtime/thread_pool.h"

namespace ipai {

class ProgramRunner {
 public:
  explicit ProgramRunner(int thread_count) : pool_(thread_count) {}

  // Runs to the end, or to the first node after the token was cancelled. Does not throw.
  JobResult run(const Job& job);
  void trim();
  // Readable from any thread.
  size_t arena_bytes() const { return arena_bytes_; }
  size_t peak_arena_bytes() const { return peak_arena_bytes_; }

 private:
  Status run_nodes(const Job& job, std::vector<NodeTime>& profile);
  Status run_node(const Job& job, size_t index);
  void copy_outputs(const Job& job);
  void* address(const Job& job, const Storage& storage) const;
  void view(const Job& job, int32_t tensor, TensorView& result) const;

  ThreadPool pool_;
  Arena arena_;
  std::atomic<size_t> arena_bytes_{0};
  std::atomic<size_t> peak_arena_bytes_{0};
  // Kept between nodes so that running one allocates nothing.
  std::vector<TensorView> input_views_;
};

}  // namespace ipai
