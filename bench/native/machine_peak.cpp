// What this machine can do at most: fused multiply-adds per second in float32, in bfloat16 products with float32 sums,
// and bytes read from memory per second. Prints one line of JSON: machine_peak [threads]
//
// A kernel that does f operations on b bytes cannot take less than max(f / peak, b / bandwidth): the floor of the bench.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

constexpr int64_t kSteps = 2000000;
constexpr int kChains = 12;  // independent sums: more than latency x units
constexpr int kRounds = 12;
constexpr size_t kReadBytes = size_t{256} << 20;  // of each thread; far more than any cache

// Each loop returns the floating-point operations that it did; `sink` keeps them from being optimised away.
using PeakLoop = double (*)(float* sink);

double portable_loop(float* sink) {
  constexpr int kLanes = 4;
  float sums[kChains * kLanes];
  std::fill(std::begin(sums), std::end(sums), *sink);
  for (int64_t i = 0; i < kSteps; ++i) {
#if defined(__FMA__) || defined(__aarch64__)
    for (float& sum : sums) sum = std::fma(sum, 0.999f, 0.999f);
#else
    for (float& sum : sums) sum = sum * 0.999f + 0.999f;
#endif
  }
  for (const float sum : sums) *sink += sum;
  return 2.0 * kLanes * kChains * kSteps;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) double avx2_loop(float* sink) {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(*sink);
  const __m256 factor = _mm256_set1_ps(0.999f);
  for (int64_t i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm256_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m256& sum : sums) *sink += _mm256_cvtss_f32(sum);
  return 2.0 * 8 * kChains * kSteps;
}

__attribute__((target("avx512f"))) double avx512_loop(float* sink) {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512 factor = _mm512_set1_ps(0.999f);
  for (int64_t i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm512_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 16 * kChains * kSteps;
}

__attribute__((target("avx512f,avx512bf16"))) double avx512_bf16_loop(float* sink) {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512bh factor = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  for (int64_t i = 0; i < kSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kChains; ++j) sums[j] = _mm512_dpbf16_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 32 * kChains * kSteps;
}
#endif

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
    const double flops = loop(&sink);
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
