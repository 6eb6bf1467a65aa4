// Speed of attention and decoupled_attention at the shapes of SD1.5, CLIP's vision tower and the autoencoder:
// attention_bench [target] [threads] [float32|bfloat16] [part of a case's name]
//
// Beside each case: what the same threads reach in AVX-512 multiply-adds in the same minute, in dot products
// of bfloat16 where the target and the dtype have them. The exponentials do not count as operations.
#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cpu_context.h"
#include "runtime/op.h"

namespace ipai {
#define IPAI_DECLARE_TARGET(target) \
  namespace target {                \
  std::vector<CpuOp> all_ops();     \
  }
IPAI_DECLARE_TARGET(portable)
IPAI_DECLARE_TARGET(avx2)
IPAI_DECLARE_TARGET(avx512)
IPAI_DECLARE_TARGET(avx512_bf16)
#undef IPAI_DECLARE_TARGET

namespace {

// With one thread its processor time, which other processes on the machine do not lengthen; else the wall's.
clockid_t clock_in_use = CLOCK_MONOTONIC;

double seconds() {
  timespec now;
  clock_gettime(clock_in_use, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr int64_t kPeakSteps = 200000;
constexpr int kPeakChains = 12;  // independent sums: more than latency x units

// Floating-point operations done; `sink` keeps them from being optimised away.
using PeakLoop = double (*)(float* sink);

__attribute__((target("avx512f"))) double float32_loop(float* sink) {
  __m512 sums[kPeakChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512 factor = _mm512_set1_ps(0.999f);
  for (int64_t i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kPeakChains; ++j) sums[j] = _mm512_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 16 * kPeakChains * kPeakSteps;
}

__attribute__((target("avx512f,avx512bf16"))) double bfloat16_loop(float* sink) {
  __m512 sums[kPeakChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(*sink);
  const __m512bh factor = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f));
  for (int64_t i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kPeakChains; ++j) sums[j] = _mm512_dpbf16_ps(sums[j], factor, factor);
  }
  for (const __m512& sum : sums) *sink += _mm512_cvtss_f32(sum);
  return 2.0 * 32 * kPeakChains * kPeakSteps;
}

double peak_gflops(PeakLoop loop, ThreadPool& pool) {
  std::vector<float> sinks(static_cast<size_t>(pool.thread_count()) * 16, 1.0f);
  std::vector<double> flops(sinks.size(), 0.0);
  const double start = seconds();
  pool.run(pool.thread_count(), [&](int64_t task, int) {
    const auto place = static_cast<size_t>(task) * 16;
    flops[place] = loop(&sinks[place]);
  });
  double total = 0;
  for (const double count : flops) total += count;
  return total / (seconds() - start) / 1e9;
}

std::vector<CpuOp> ops_of(const std::string& target) {
  if (target == "portable") return portable::all_ops();
  if (target == "avx2") return avx2::all_ops();
  if (target == "avx512") return avx512::all_ops();
  return avx512_bf16::all_ops();
}

// Decoupled where there are image keys.
struct Case {
  const char* name;
  int64_t queries, keys, image_keys, heads, head_size;
  bool causal = false;

  double flops() const {
    return 4.0 * static_cast<double>(queries * (keys + image_keys) * heads * head_size) / (causal ? 2 : 1);
  }
};

constexpr Case kCases[] = {
    {"self 4096, 8 x 40", 4096, 4096, 0, 8, 40},     {"self 1024, 8 x 80", 1024, 1024, 0, 8, 80},
    {"self 256, 8 x 160", 256, 256, 0, 8, 160},      {"self 64, 8 x 160", 64, 64, 0, 8, 160},
    {"self 257, 16 x 80", 257, 257, 0, 16, 80},      {"causal 77, 12 x 64", 77, 77, 0, 12, 64, true},
    {"self 4096, 1 x 512", 4096, 4096, 0, 1, 512},   {"decoupled 4096, 8 x 40", 4096, 77, 16, 8, 40},
    {"decoupled 1024, 8 x 80", 1024, 77, 16, 8, 80}, {"decoupled 256, 8 x 160", 256, 77, 16, 8, 160},
    {"decoupled 64, 8 x 160", 64, 77, 16, 8, 160}};

// A tensor of small numbers.
struct Buffer {
  TensorView view;
  std::unique_ptr<std::byte, decltype(&std::free)> memory{nullptr, &std::free};

  Buffer() { view.absent = true; }
  Buffer(DType dtype, const std::vector<int64_t>& extents) {
    view.dtype = dtype;
    view.shape = Shape(extents);
    memory.reset(static_cast<std::byte*>(std::aligned_alloc(64, (view.dense_bytes() + 63) / 64 * 64)));
    view.data = memory.get();
    if (dtype == DType::kUInt8) return;
    for (int64_t i = 0; i < view.shape.size(); ++i) {
      const float value = static_cast<float>(i * 7919 % 1009) / 1009.0f - 0.5f;
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      bits >>= dtype == DType::kFloat32 ? 0 : 16;
      std::memcpy(memory.get() + static_cast<size_t>(i) * dtype_size(dtype), &bits, dtype_size(dtype));
    }
  }
};

struct Timing {
  double seconds;
  double peak_gflops;
};

// Best of many, the peak measured between the runs.
Timing time_case(const Case& c, const std::vector<CpuOp>& ops, PeakLoop peak_loop, ThreadPool& pool,
                 DType dtype) {
  const std::string name = c.image_keys > 0 ? "decoupled_attention" : "attention";
  const auto op = std::find_if(ops.begin(), ops.end(), [&](const CpuOp& one) { return one.name == name; });
  const auto tokens = [&](int64_t count) { return Buffer(dtype, {1, count, c.heads * c.head_size}); };
  const Buffer q = tokens(c.queries), k = tokens(c.keys), v = tokens(c.keys), output = tokens(c.queries);
  const Buffer image_k = tokens(c.image_keys), image_v = tokens(c.image_keys),
               image_scale(DType::kFloat32, {1});
  std::vector<TensorView> inputs = {q.view, k.view, v.view};
  AttributeMap map = {{"heads", static_cast<double>(c.heads)}, {"scale", 0.1}};
  if (c.image_keys > 0) {
    inputs.insert(inputs.end(), {image_k.view, image_v.view, image_scale.view});
  } else {
    inputs.push_back(Buffer().view);
    map["causal"] = c.causal ? 1.0 : 0.0;
  }
  std::string error;
  const auto attributes = op->parse(map, error);
  const NodeTypes types{{inputs.begin(), inputs.end()}, {output.view}};
  const size_t bytes = op->scratch_bytes(attributes.get(), types, pool.thread_count());
  const Buffer scratch(DType::kUInt8, {static_cast<int64_t>(bytes)});
  CpuContext context(pool, scratch.memory.get());
  Timing best{1e9, 0};
  const double end = seconds() + 0.6;
  for (int run = 0; run < 5 || seconds() < end; ++run) {
    const double start = seconds();
    op->run(attributes.get(), {inputs.data(), static_cast<int>(inputs.size()), &output.view, 1}, context);
    best.seconds = std::min(best.seconds, seconds() - start);
    best.peak_gflops = std::max(best.peak_gflops, peak_gflops(peak_loop, pool));
  }
  return best;
}

}  // namespace
}  // namespace ipai

int main(int argc, char** argv) {
  using namespace ipai;
  const std::string target = argc > 1 ? argv[1] : "avx512_bf16";
  ThreadPool pool(argc > 2 ? std::atoi(argv[2]) : 2);
  if (pool.thread_count() == 1) clock_in_use = CLOCK_THREAD_CPUTIME_ID;
  const DType dtype = dtype_from_name(argc > 3 ? argv[3] : "float32").value_or(DType::kFloat32);
  const std::string filter = argc > 4 ? argv[4] : "";
  const std::vector<CpuOp> ops = ops_of(target);
  std::printf("%s, %d threads, %s\n", target.c_str(), pool.thread_count(), dtype_name(dtype));
  const bool dots = target == "avx512_bf16" && dtype == DType::kBFloat16;
  std::printf("%-24s %9s %9s %9s %6s\n", "case", "ms", "GFLOP/s", "peak", "share");
  for (const Case& c : kCases) {
    if (std::string(c.name).find(filter) == std::string::npos) continue;
    const Timing timing = time_case(c, ops, dots ? bfloat16_loop : float32_loop, pool, dtype);
    const double gflops = c.flops() / timing.seconds / 1e9;
    std::printf("%-24s %9.3f %9.1f %9.1f %5.0f%%\n", c.name, timing.seconds * 1e3, gflops, timing.peak_gflops,
                100 * gflops / timing.peak_gflops);
    std::fflush(stdout);
  }
  return 0;
}
