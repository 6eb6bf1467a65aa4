// A device's one thread: runs jobs first in, first out, apart from JavaScript's threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/job.h"
#include "runtime/runner.h"

namespace ipai {

class Executor {
 public:
  explicit Executor(std::unique_ptr<Runner> runner);
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // A job with a program must have passed `check_bindings`.
  void submit(std::unique_ptr<Job> job);
  // Jobs with this token end as kCancelled: a queued one at once, a running one after the node it is at.
  void cancel(const std::shared_ptr<CancelToken>& token);
  // Ends all jobs of an owner and returns when none of them runs; queued ones are dropped without `done`.
  void drain(const void* owner);
  // Drops queued jobs, cancels the running one and waits for the node that it is at. Their `done` is not
  // called, and no job runs any more.
  void stop();
  // Gives the arena, and freed buffers, back to the system when no job is waiting.
  void trim();

  const Runner& runner() const { return *runner_; }

 private:
  void work();
  template <class Predicate>
  std::deque<std::unique_ptr<Job>> take_queued(Predicate&& predicate);

  std::unique_ptr<Runner> runner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::unique_ptr<Job>> queue_;
  const Job* running_ = nullptr;
  bool trim_requested_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace ipai
