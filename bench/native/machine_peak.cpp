// What this machine can do at most: fused multiply-adds per second in float32, in bfloat16 products with float32 sums,
// and bytes read from memory per second. Prints one line of JSON: machine_peak [threads]
//
// A kernel that does f operations on b bytes cannot take less than max(f / peak, b / bandwidth): the floor of the bench.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include "peak_loops.h"

namespace {

using namespace ipai::bench;

constexpr int64_t kSteps = 2000000;
constexpr int kRounds = 12;
constexpr size_t kReadBytes = size_t{256} << 20;  // of each thread; far more than any cache

PeakLoop float32_loop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512_loop;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_loop;
#endif
  return portable_loop;
}

// Without dot products of bfloat16, products are made in float32.
PeakLoop bfloat16_loop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return avx512_bf16_loop;
#endif
  return float32_loop();
}

// Best of several rounds: units that all threads get through, per second. `body` takes the thread's number.
double best_rate(int threads, const std::function<double(int)>& body) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::thread> team;
    std::vector<double> units(static_cast<size_t>(threads));
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < threads; ++i) team.emplace_back([&, i] { units[static_cast<size_t>(i)] = body(i); });
    for (std::thread& thread : team) thread.join();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    double total = 0;
    for (const double count : units) total += count;
    best = std::max(best, total / elapsed.count());
  }
  return best;
}

double flops_per_second(int threads, PeakLoop loop) {
  return best_rate(threads, [loop](int) {
    volatile float seed = 1.0f;
    float sink = seed;
    const double flops = loop(kSteps, &sink);
    seed = sink;
    return flops;
  });
}

// Several running sums, so that the loads and not the additions are what takes the time.
uint64_t sum_of(const std::vector<uint64_t>& words) {
  uint64_t sums[32] = {};
  for (size_t i = 0; i < words.size(); i += 32) {
    for (size_t j = 0; j < 32; ++j) sums[j] += words[i + j];
  }
  uint64_t total = 0;
  for (const uint64_t sum : sums) total += sum;
  return total;
}

double bytes_per_second(int threads) {
  const size_t words = kReadBytes / sizeof(uint64_t);
  std::vector<std::vector<uint64_t>> data(static_cast<size_t>(threads), std::vector<uint64_t>(words, 1));
  return best_rate(threads, [&](int thread) {
    volatile uint64_t sink = sum_of(data[static_cast<size_t>(thread)]);
    static_cast<void>(sink);
    return static_cast<double>(kReadBytes);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const int available = static_cast<int>(std::thread::hardware_concurrency());
  const int threads = std::max(1, argc > 1 ? std::atoi(argv[1]) : available);
  std::printf("{\"fmaGflops\": %.1f, \"bf16Gflops\": %.1f, \"bandwidthGBs\": %.1f, \"threads\": %d}\n",
              flops_per_second(threads, float32_loop()) / 1e9, flops_per_second(threads, bfloat16_loop()) / 1e9,
              bytes_per_second(threads) / 1e9, threads);
  return 0;
}
