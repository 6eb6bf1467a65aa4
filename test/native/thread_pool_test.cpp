#include "runtime/thread_pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>

#include "runtime/cpu_context.h"

using ipai::ThreadPool;

TEST_CASE("every task runs once, on a thread of the team") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    REQUIRE(pool.thread_count() == threads);
    for (const int64_t tasks : {1, 2, 7, 1000}) {
      std::vector<int> runs(static_cast<size_t>(tasks), 0);
      std::atomic<bool> in_range{true};
      pool.run(tasks, [&](int64_t task, int thread) {
        ++runs[static_cast<size_t>(task)];
        if (thread < 0 || thread >= threads) in_range = false;
      });
      CHECK(std::all_of(runs.begin(), runs.end(), [](int count) { return count == 1; }));
      CHECK(in_range);
    }
  }
}

TEST_CASE("a thread number belongs to one task at a time") {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> alone{true};
  for (int round = 0; round < 50; ++round) {
    pool.run(64, [&](int64_t, int thread) {
      if (inside[static_cast<size_t>(thread)]++ != 0) alone = false;
      --inside[static_cast<size_t>(thread)];
    });
  }
  CHECK(alone);
}

TEST_CASE("many short loops in a row, and after pauses") {
  ThreadPool pool(3);
  std::atomic<int64_t> sum{0};
  for (int64_t round = 0; round < 20000; ++round) {
    pool.run(4, [&](int64_t task, int) { sum += task; });
    if (round % 4000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(sum == 20000 * 6);
}

TEST_CASE("what a task writes is there when the loop ends") {
  ThreadPool pool(4);
  std::vector<int64_t> values(5000);
  for (int64_t round = 1; round <= 20; ++round) {
    pool.run(5000, [&](int64_t task, int) { values[static_cast<size_t>(task)] = task * round; });
    CHECK(std::accumulate(values.begin(), values.end(), int64_t{0}) == round * 4999 * 2500);
  }
}

TEST_CASE("an exception comes out of the loop, and the team works on") {
  ThreadPool pool(4);
  const auto failing = [](int64_t task, int) {
    if (task == 5) throw std::runtime_error("task 5");
  };
  CHECK_THROWS_WITH(pool.run(100, failing), "task 5");
  std::atomic<int> runs{0};
  pool.run(100, [&](int64_t, int) { ++runs; });
  CHECK(runs == 100);
}

TEST_CASE("ranges cover all items in chunks that do not depend on the team") {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    ipai::CpuContext context(pool, nullptr);
    for (const int64_t count : {0, 1, 9, 10, 11, 95}) {
      std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
      context.parallel_ranges(count, 10, [&](int64_t begin, int64_t end, int) {
        CHECK(begin % 10 == 0);
        CHECK(end == std::min(begin + 10, count));
        for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
      });
      CHECK(std::all_of(seen.begin(), seen.end(), [](const std::atomic<int>& n) { return n == 1; }));
    }
  }
}
