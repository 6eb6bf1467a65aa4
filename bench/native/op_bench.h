// What benches of single ops share: the ops of each target, tensors, and timing beside the peak.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "peak_loops.h"
#include "runtime/cpu_context.h"
#include "runtime/op.h"

namespace ipai {
#define IPAI_DECLARE_TARGET(target) \
  namespace target {                \
  std::vector<Op> all_ops();     \
  }
IPAI_DECLARE_TARGET(portable)
IPAI_DECLARE_TARGET(avx2)
IPAI_DECLARE_TARGET(avx512)
IPAI_DECLARE_TARGET(avx512_bf16)
#undef IPAI_DECLARE_TARGET
}  // namespace ipai

namespace ipai::bench {

// The command line of a bench, [target] [threads] [float32|bfloat16] [part of a case's name], and the team.
class OpBench {
 public:
  OpBench(int argc, char** argv)
      : target_(argc > 1 ? argv[1] : "avx512_bf16"),
        pool_(argc > 2 ? std::atoi(argv[2]) : 2),
        dtype_(dtype_from_name(argc > 3 ? argv[3] : "float32").value_or(DType::kFloat32)),
        filter_(argc > 4 ? argv[4] : ""),
        clock_(pool_.thread_count() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC) {
    if (target_ == "portable") {
      ops_ = portable::all_ops(), peak_loop_ = portable_loop;
    } else if (target_ == "avx2") {
      ops_ = avx2::all_ops(), peak_loop_ = avx2_loop;
    } else if (target_ == "avx512") {
      ops_ = avx512::all_ops(), peak_loop_ = avx512_loop;
    } else {
      ops_ = avx512_bf16::all_ops();
      peak_loop_ = dtype_ == DType::kBFloat16 ? avx512_bf16_loop : avx512_loop;
    }
    std::printf("%s, %d threads, %s\n", target_.c_str(), pool_.thread_count(), dtype_name(dtype_));
    std::printf("%-36s %9s %9s %9s %6s\n", "case", "ms", "GFLOP/s", "peak", "share");
  }

  DType dtype() const { return dtype_; }
  ThreadPool& pool() { return pool_; }
  DeviceTraits device() const { return {Device::kCpu, pool_.thread_count()}; }
  bool wants(const std::string& name) const { return name.find(filter_) != std::string::npos; }

  const Op& op(const std::string& name) const {
    for (const Op& op : ops_) {
      if (op.name == name) return op;
    }
    std::fprintf(stderr, "no op called %s\n", name.c_str());
    std::exit(1);
  }

  // Times `once`, best of many, the peak measured between the runs, and prints a line.
  template <class Once>
  void time(const std::string& name, double flops, Once&& once) {
    once();
    double best = 1e9, peak = 0;
    const double end = seconds() + 0.6;
    for (int run = 0; run < 5 || seconds() < end; ++run) {
      const double start = seconds();
      once();
      best = std::min(best, seconds() - start);
      peak = std::max(peak, peak_gflops());
    }
    const double gflops = flops / best / 1e9;
    std::printf("%-36s %9.3f %9.1f %9.1f %5.0f%%\n", name.c_str(), best * 1e3, gflops, peak,
                100 * gflops / peak);
    std::fflush(stdout);
  }

 private:
  static constexpr int64_t kPeakSteps = 200000;

  // With one thread its processor time, which other processes on the machine do not lengthen; else the wall's.
  double seconds() const {
    timespec now;
    clock_gettime(clock_, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }

  double peak_gflops() {
    constexpr size_t kApart = 16;  // floats of a cache line
    std::vector<float> sinks(static_cast<size_t>(pool_.thread_count()) * kApart, 1.0f);
    std::vector<double> flops(sinks.size(), 0.0);
    const double start = seconds();
    pool_.run(pool_.thread_count(), [&](int64_t task, int) {
      const auto place = static_cast<size_t>(task) * kApart;
      flops[place] = peak_loop_(kPeakSteps, &sinks[place]);
    });
    double total = 0;
    for (const double count : flops) total += count;
    return total / (seconds() - start) / 1e9;
  }

  std::string target_;
  ThreadPool pool_;
  DType dtype_;
  std::string filter_;
  clockid_t clock_;
  std::vector<Op> ops_;
  PeakLoop peak_loop_ = portable_loop;
};

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
    if (dtype == DType::kUInt8) return;  // scratch
    for (int64_t i = 0; i < view.shape.size(); ++i) {
      const float value = static_cast<float>(i * 7919 % 1009) / 1009.0f - 0.5f;
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      bits >>= dtype == DType::kFloat32 ? 0 : 16;
      std::memcpy(memory.get() + static_cast<size_t>(i) * dtype_size(dtype), &bits, dtype_size(dtype));
    }
  }
};

}  // namespace ipai::bench
