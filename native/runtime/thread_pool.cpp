#include "runtime/thread_pool.h"

#include <chrono>
#include <system_error>

namespace ipai {
namespace {

constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr uint64_t kActiveMask = kOpen - 1;
constexpr uint64_t kGeneration = uint64_t{1} << 32;

// Between two ops of a program the team spins, as waking a sleeping thread costs more than most gaps last.
constexpr auto kSpinTime = std::chrono::microseconds(50);

void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Polls until `ready()` or until kSpinTime is over; returns the last answer.
template <class Ready>
bool spin_until(Ready&& ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      cpu_relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return ready();
}

}  // namespace

ThreadPool::ThreadPool(int thread_count) {
  try {
    for (int thread = 1; thread < thread_count; ++thread)
      threads_.emplace_back([this, thread] { worker(thread); });
  } catch (const std::system_error&) {
    // The system gives no more threads: a smaller team computes the same.
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(int64_t task_count, Body body) {
  body_ = &body;
  task_count_ = task_count;
  failure_ = nullptr;
  next_task_.store(0, std::memory_order_relaxed);
  // Sequentially consistent, as is the sleepers' count: either a worker about to sleep sees the new loop, or
  // this thread sees the sleeper.
  state_.store((state_.load() & ~(kGeneration - 1)) + kGeneration + kOpen);
  if (sleepers_.load() > 0) {
    { std::lock_guard<std::mutex> lock(mutex_); }
    wake_.notify_all();
  }
  take_tasks(body, task_count, 0);
  close_and_wait();
  if (failure_) std::rethrow_exception(failure_);
}

// A worker that was slow to wake finds the loop closed and is not waited for.
void ThreadPool::close_and_wait() {
  const auto idle = [this] { return (state_.load() & kActiveMask) == 0; };
  state_.fetch_and(~kOpen);
  if (spin_until(idle)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, idle);
}

void ThreadPool::take_tasks(const Body& body, int64_t task_count, int thread) {
  try {
    for (;;) {
      const int64_t task = next_task_.fetch_add(1, std::memory_order_relaxed);
      if (task >= task_count) return;
      body(task, thread);
    }
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    next_task_.store(task_count, std::memory_order_relaxed);
  }
}

void ThreadPool::worker(int thread) {
  uint64_t seen = 0;
  for (;;) {
    uint64_t state = wait_for_change(seen);
    if (stop_) return;
    seen = state & ~(kGeneration - 1);
    if (join(state)) {
      take_tasks(*body_, task_count_, thread);
      leave();
    }
  }
}

// Returns a state whose loop is not `seen`, or any state once the pool stops.
uint64_t ThreadPool::wait_for_change(uint64_t seen) {
  uint64_t state = 0;
  const auto changed = [&] {
    state = state_.load();
    return (state & ~(kGeneration - 1)) != seen || stop_;
  };
  if (spin_until(changed)) return state;
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleepers_;
  wake_.wait(lock, changed);
  --sleepers_;
  return state;
}

// Enters the loop of `state` unless it has been closed since.
bool ThreadPool::join(uint64_t& state) {
  const uint64_t generation = state & ~(kGeneration - 1);
  while ((state & kOpen) != 0 && (state & ~(kGeneration - 1)) == generation) {
    if (state_.compare_exchange_weak(state, state + 1)) return true;
  }
  return false;
}

void ThreadPool::leave() {
  const uint64_t left = state_.fetch_sub(1) - 1;
  if ((left & kOpen) == 0 && (left & kActiveMask) == 0) {
    { std::lock_guard<std::mutex> lock(mutex_); }
    done_.notify_one();
  }
}

}  // namespace ipai
