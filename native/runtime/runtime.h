// The process's runtime: CPU target, ops and executor, made at first use and shared by all JavaScript
// threads.
#pragma once

#include <string>

#include "runtime/executor.h"
#include "runtime/op_registry.h"

namespace ipai {

struct RuntimeOptions {
  // Threads for one op; 0 for as many as there are cores for this process.
  int threads = 0;
  // Name of a CPU target; empty for the widest that this machine runs.
  std::string target;
};

class Runtime {
 public:
  // Makes the runtime. When it is there already, options that are given (not 0, not empty) must be the ones
  // it has.
  static Status configure(const RuntimeOptions& options);
  // The runtime, made with default options if need be.
  static Runtime& get();

  CpuTarget target() const { return target_; }
  int thread_count() const { return thread_count_; }
  const OpRegistry& registry() const { return registry_; }
  Executor& executor() { return executor_; }

 private:
  Runtime(CpuTarget target, int thread_count)
      : target_(target), thread_count_(thread_count), registry_(target), executor_(thread_count) {}
  Status check_same(const RuntimeOptions& options) const;

  CpuTarget target_;
  int thread_count_;
  OpRegistry registry_;
  Executor executor_;
};

}  // namespace ipai
