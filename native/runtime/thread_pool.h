// A fixed team of threads that runs the tasks of one parallel loop at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
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
  // `thread`, which serves only to pick a thread's own scratch. One caller at a time; not re-entrant. If a
  // task throws, tasks not yet begun are dropped and the first exception is rethrown here.
  void run(int64_t task_count, FunctionRef<void(int64_t task, int thread)> body);

 private:
  using Body = FunctionRef<void(int64_t, int)>;

  void worker(int thread);
  uint64_t wait_for_change(uint64_t seen);
  bool join(uint64_t& state);
  void leave();
  void take_tasks(const Body& body, int64_t task_count, int thread);
  void close_and_wait();

  std::vector<std::thread> threads_;
  // Number of the loop (upper 32 bits), kOpen while workers may join it, and how many are inside (lower
  // bits).
  std::atomic<uint64_t> state_{0};
  std::atomic<int64_t> next_task_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  // Set before a loop opens, read only by threads that joined it.
  int64_t task_count_ = 0;
  const Body* body_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace ipai
