// Runs programs on the processor, one at a time, with one thread team and one arena.
#pragma once

#include <atomic>

#include "runtime/arena.h"
#include "runtime/job.h"
#include "runtime/runner.h"
#include "runtime/thread_pool.h"

namespace ipai {

class ProgramRunner : public Runner {
 public:
  explicit ProgramRunner(int thread_count) : pool_(thread_count) {}

  JobResult run(const Job& job) override;
  void trim() override;
  size_t arena_bytes() const override { return arena_bytes_; }
  size_t peak_arena_bytes() const override { return peak_arena_bytes_; }

 private:
  Status run_nodes(const Job& job, std::vector<NodeTime>& profile);
  Status run_node(const Job& job, size_t index);
  static void release_weight_pages(const Job& job, const ProgramNode& node);
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
