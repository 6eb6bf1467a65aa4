// A fixed team of threads that runs the tasks of one parallel loop at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/function_ref.h"

namespace ipai {

class ThreadPool {
 public:
  // `thread_count` includes the calling thread: `thread_count - 1` threads are started.
  explicit ThreadPool(int thread_count);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int thread_count() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls body(task, thread) once for each task in [0, task_count), thread in [0, thread_count), and returns
  // when all are done. Tasks are taken in order, by whichever thread is free: results must not depend on
  // `thread`, which serves only to pick a thread's own scratch. One caller at a time; not re-entrant.
  void run(int64_t task_count, FunctionRef<void(int64_t task, int thread)> body);

 private:
  void worker(int thread);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int64_t> next_task_{0};
  std::atomic<int> busy_{0};
  int64_t task_count_ = 0;
  const FunctionRef<void(int64_t, int)>* body_ = nullptr;
  bool stop_ = false;
};

}  // namespace ipai
