// Speed of linear and conv2d at the shapes of SD1.5, beside the fused multiply-add rate that the same threads
// reach in the same minute: gemm_bench [target] [threads] [float32|bfloat16] [part of a case's name]
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
namespace portable {
std::vector<CpuOp> all_ops();
}
namespace avx2 {
std::vector<CpuOp> all_ops();
}
namespace avx512 {
std::vector<CpuOp> all_ops();
}
namespace avx512_bf16 {
std::vector<CpuOp> all_ops();
}

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
__attribute__((target("avx512f"))) double peak_loop_avx512(float* sink) {
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

__attribute__((target("avx2,fma"))) double peak_loop_avx2(float* sink) {
  __m256 sums[kPeakChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(*sink);
  const __m256 factor = _mm256_set1_ps(0.999f);
  for (int64_t i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kPeakChains; ++j) sums[j] = _mm256_fmadd_ps(sums[j], factor, factor);
  }
  for (const __m256& sum : sums) *sink += _mm256_cvtss_f32(sum);
  return 2.0 * 8 * kPeakChains * kPeakSteps;
}

// SSE has no fused multiply-add: multiplications and additions side by side.
double peak_loop_portable(float* sink) {
  __m128 sums[kPeakChains];
  for (__m128& sum : sums) sum = _mm_set1_ps(*sink);
  const __m128 factor = _mm_set1_ps(0.999f);
  for (int64_t i = 0; i < kPeakSteps; ++i) {
#pragma GCC unroll 12
    for (int j = 0; j < kPeakChains; ++j) sums[j] = _mm_add_ps(_mm_mul_ps(sums[j], factor), factor);
  }
  for (const __m128& sum : sums) *sink += _mm_cvtss_f32(sum);
  return 2.0 * 4 * kPeakChains * kPeakSteps;
}

struct Target {
  std::vector<CpuOp> ops;
  double (*peak_loop)(float*);
};

Target find_target(const std::string& name) {
  if (name == "portable") return {portable::all_ops(), peak_loop_portable};
  if (name == "avx2") return {avx2::all_ops(), peak_loop_avx2};
  if (name == "avx512") return {avx512::all_ops(), peak_loop_avx512};
  return {avx512_bf16::all_ops(), peak_loop_avx512};
}

const CpuOp& find_op(const std::vector<CpuOp>& ops, const std::string& name) {
  for (const CpuOp& op : ops) {
    if (op.name == name) return op;
  }
  std::fprintf(stderr, "no op called %s\n", name.c_str());
  std::exit(1);
}

double peak_gflops(const Target& target, ThreadPool& pool) {
  std::vector<float> sinks(static_cast<size_t>(pool.thread_count()) * 16, 1.0f);
  std::vector<double> flops(sinks.size(), 0.0);
  const double start = seconds();
  pool.run(pool.thread_count(), [&](int64_t task, int) {
    flops[static_cast<size_t>(task) * 16] = target.peak_loop(&sinks[static_cast<size_t>(task) * 16]);
  });
  double total = 0;
  for (const double count : flops) total += count;
  return total / (seconds() - start) / 1e9;
}

struct Case {
  std::string name;
  std::string op;
  std::vector<int64_t> x, weight, output;
  AttributeMap attributes;
  bool glu = false;
};

Case linear_case(int64_t rows, int64_t columns, int64_t depth, const char* activation = "none") {
  const bool glu = std::string(activation) == "geglu";
  const std::string name = "linear " + std::to_string(rows) + "x" + std::to_string(columns) + "x" +
                           std::to_string(depth) + (glu ? " geglu" : "");
  const AttributeMap attributes = {{"activation", activation}};
  return {name,       "linear", {rows, depth}, {columns, depth}, {rows, glu ? columns / 2 : columns},
          attributes, glu};
}

Case conv_case(int64_t size, int64_t channels, int64_t outputs, int64_t kernel = 3, int64_t stride = 1,
               const char* algorithm = "direct", bool upsampled = false) {
  const std::string name = "conv" + std::to_string(kernel) + " " + std::to_string(channels) + "->" +
                           std::to_string(outputs) + " @" + std::to_string(size) +
                           (stride > 1 ? " /" + std::to_string(stride) : "") +
                           (std::string(algorithm) == "direct" ? "" : std::string(" ") + algorithm) +
                           (upsampled ? " from half" : "");
  const double pad = static_cast<double>(stride < kernel ? kernel / 2 : 0);
  const int64_t out = (size + 2 * static_cast<int64_t>(pad) - kernel) / stride + 1;
  const AttributeMap attributes = {{"stride", static_cast<double>(stride)},
                                   {"padding", std::vector<double>{pad, pad, pad, pad}},
                                   {"upsample_height", upsampled ? static_cast<double>(size) : 0.0},
                                   {"upsample_width", upsampled ? static_cast<double>(size) : 0.0},
                                   {"activation", "none"},
                                   {"algorithm", algorithm}};
  const int64_t in = upsampled ? size / 2 : size;
  return {name,
          "conv2d",
          {1, in, in, channels},
          {outputs, channels, kernel, kernel},
          {1, out, out, outputs},
          attributes,
          false};
}

std::vector<Case> cases() {
  return {linear_case(4096, 320, 320),
          linear_case(4096, 2560, 320, "geglu"),
          linear_case(4096, 320, 1280),
          linear_case(1024, 640, 640),
          linear_case(1024, 5120, 640, "geglu"),
          linear_case(1024, 640, 2560),
          linear_case(256, 1280, 1280),
          linear_case(256, 10240, 1280, "geglu"),
          linear_case(256, 1280, 5120),
          linear_case(64, 1280, 1280),
          linear_case(257, 5120, 1280),
          linear_case(77, 640, 768),
          linear_case(1, 1280, 1280),
          conv_case(64, 320, 320),
          conv_case(32, 640, 640),
          conv_case(16, 1280, 1280),
          conv_case(8, 1280, 1280),
          conv_case(64, 320, 320, 3, 2),
          conv_case(64, 960, 320, 1),
          conv_case(64, 4, 320),
          conv_case(64, 320, 4),
          conv_case(224, 3, 1280, 14, 14),
          conv_case(64, 512, 512),
          conv_case(256, 256, 256),
          conv_case(512, 128, 128),
          conv_case(512, 3, 128),
          conv_case(512, 128, 3),
          conv_case(64, 320, 320, 3, 1, "winograd_4x4_held"),
          conv_case(64, 640, 640, 3, 1, "winograd_4x4_held", true),
          conv_case(64, 320, 320, 3, 1, "winograd_4x4"),
          conv_case(32, 640, 640, 3, 1, "winograd_4x4_held"),
          conv_case(32, 640, 640, 3, 1, "winograd_4x4"),
          conv_case(16, 1280, 1280, 3, 1, "winograd_4x4"),
          conv_case(8, 1280, 1280, 3, 1, "winograd_4x4"),
          conv_case(8, 1280, 1280, 3, 1, "winograd_2x2_held"),
          conv_case(64, 512, 512, 3, 1, "winograd_4x4_held"),
          conv_case(128, 512, 512, 3, 1, "winograd_4x4_held"),
          conv_case(256, 256, 256, 3, 1, "winograd_4x4_held"),
          conv_case(256, 512, 512, 3, 1, "winograd_4x4_held", true),
          conv_case(512, 128, 128, 3, 1, "winograd_4x4_held")};
}

// A tensor of small numbers.
struct Buffer {
  TensorView view;
  std::unique_ptr<std::byte, decltype(&std::free)> memory{nullptr, &std::free};

  Buffer() { view.absent = true; }
  Buffer(DType dtype, const std::vector<int64_t>& extents, size_t bytes = 0) {
    view.dtype = dtype;
    view.shape = Shape(extents);
    bytes = std::max(bytes, view.dense_bytes());
    memory.reset(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
    view.data = memory.get();
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
Timing time_case(const Case& c, const Target& target, ThreadPool& pool, DType dtype) {
  const CpuOp& op = find_op(target.ops, c.op);
  const CpuOp& pack = find_op(target.ops, "pack_" + c.op);
  const Buffer x(dtype, c.x), weight(DType::kFloat32, c.weight), bias(DType::kFloat32, {c.weight[0]});
  AttributeMap pack_map = {{"dtype", dtype_name(dtype)}};
  if (c.op == "linear") pack_map["glu"] = c.glu ? 1.0 : 0.0;
  if (c.op == "conv2d") pack_map["algorithm"] = c.attributes.at("algorithm");
  std::string error;
  const auto pack_attributes = pack.parse(pack_map, error);
  const auto attributes = op.parse(c.attributes, error);
  const TensorType packed_type{dtype, Shape(c.weight), false};
  const Buffer packed(dtype, c.weight,
                      pack.output_bytes(pack_attributes.get(), {{weight.view}, {packed_type}}));
  const Buffer output(dtype, c.output);
  CpuContext pack_context(pool, nullptr);
  pack.run(pack_attributes.get(), {&weight.view, 1, &packed.view, 1}, pack_context);

  const std::vector<TensorView> inputs = {x.view, packed.view, bias.view, Buffer().view, Buffer().view};
  const NodeTypes types{{inputs.begin(), inputs.end()}, {output.view}};
  const size_t scratch_bytes = op.scratch_bytes(attributes.get(), types, pool.thread_count());
  const Buffer scratch(DType::kUInt8, {static_cast<int64_t>(scratch_bytes)});
  CpuContext context(pool, scratch.memory.get());
  const auto once = [&] {
    op.run(attributes.get(), {inputs.data(), static_cast<int>(inputs.size()), &output.view, 1}, context);
  };
  once();
  Timing best{1e9, 0};
  const double end = seconds() + 0.6;
  for (int run = 0; run < 5 || seconds() < end; ++run) {
    const double start = seconds();
    once();
    best.seconds = std::min(best.seconds, seconds() - start);
    best.peak_gflops = std::max(best.peak_gflops, peak_gflops(target, pool));
  }
  return best;
}

double flops(const Case& c) {
  const double rows = static_cast<double>(Shape(c.output).size()) / static_cast<double>(c.output.back());
  return 2 * rows * static_cast<double>(Shape(c.weight).size());
}

}  // namespace
}  // namespace ipai

int main(int argc, char** argv) {
  using namespace ipai;
  const std::string target_name = argc > 1 ? argv[1] : "avx512_bf16";
  ThreadPool pool(argc > 2 ? std::atoi(argv[2]) : 2);
  if (pool.thread_count() == 1) clock_in_use = CLOCK_THREAD_CPUTIME_ID;
  const DType dtype = dtype_from_name(argc > 3 ? argv[3] : "float32").value_or(DType::kFloat32);
  const std::string filter = argc > 4 ? argv[4] : "";
  const Target target = find_target(target_name);
  std::printf("%s, %d threads, %s\n", target_name.c_str(), pool.thread_count(), dtype_name(dtype));
  std::printf("%-28s %9s %9s %9s %6s\n", "case", "ms", "GFLOP/s", "peak", "share");
  for (const Case& c : cases()) {
    if (c.name.find(filter) == std::string::npos) continue;
    const Timing timing = time_case(c, target, pool, dtype);
    const double gflops = flops(c) / timing.seconds / 1e9;
    std::printf("%-28s %9.3f %9.1f %9.1f %5.0f%%\n", c.name.c_str(), timing.seconds * 1e3, gflops,
                timing.peak_gflops, 100 * gflops / timing.peak_gflops);
    std::fflush(stdout);
  }
  return 0;
}
