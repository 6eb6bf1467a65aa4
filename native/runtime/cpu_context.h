// What a CPU kernel may use while it runs: the thread team and its scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/thread_pool.h"

namespace ipai {

class CpuContext {
 public:
  // `scratch` is 64-byte aligned and has at least the bytes that the op's `scratch_bytes` asked for.
  CpuContext(ThreadPool& pool, std::byte* scratch) : pool_(pool), scratch_(scratch) {}

  int thread_count() const { return pool_.thread_count(); }
  std::byte* scratch() const { return scratch_; }

  // body(task, thread) for each task; see ThreadPool::run.
  template <class Body>
  void parallel_for(int64_t task_count, Body&& body) {
    if (task_count == 1) {
      body(int64_t{0}, 0);
    } else if (task_count > 1) {
      pool_.run(task_count, body);
    }
  }

  // body(begin, end, thread) over [0, count) in chunks of at least `grain` items; chunk borders do not depend
  // on the number of threads, so that results do not either.
  template <class Body>
  void parallel_ranges(int64_t count, int64_t grain, Body&& body) {
    const int64_t chunks = (count + grain - 1) / grain;
    parallel_for(chunks, [&](int64_t chunk, int thread) {
      const int64_t begin = chunk * grain;
      body(begin, begin + grain < count ? begin + grain : count, thread);
    });
  }

 private:
  ThreadPool& pool_;
  std::byte* scratch_;
};

}  // namespace ipai
