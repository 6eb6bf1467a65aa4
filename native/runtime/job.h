// One run of a program, or another task of a device: what it works on, how it can be stopped, and what
// becomes of it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/program.h"

namespace ipai {

struct CancelToken {
  std::atomic<bool> cancelled{false};
};

// Times of one node in microseconds on the system's monotonic clock, which JavaScript's process.hrtime()
// reads too.
struct NodeTime {
  double start_us = 0;
  double end_us = 0;
};

struct JobResult {
  Status status;
  // By node, when the job asked for it.
  std::vector<NodeTime> profile;
};

struct Job {
  std::shared_ptr<const Program> program;
  // What is done in place of running a program, e.g. a copy. Must not throw.
  std::function<Status()> task;
  std::vector<std::shared_ptr<Buffer>> inputs;
  std::vector<std::shared_ptr<Buffer>> parameters;
  std::vector<std::shared_ptr<Buffer>> outputs;
  bool profile = false;
  // Fail at the first node whose output holds a NaN.
  bool check_nan = false;
  std::shared_ptr<CancelToken> token = std::make_shared<CancelToken>();
  // Whose job it is, so that `Executor::drain` can find it.
  const void* owner = nullptr;
  // Called exactly once, on any thread. Must not throw.
  std::function<void(JobResult)> done;
};

// Checks that the buffers fit the program: how many, how large, aligned, writable where written, on
// the program's device, what is written apart from all others. Jobs must pass this before they are submitted.
Status check_bindings(const Job& job);

}  // namespace ipai
