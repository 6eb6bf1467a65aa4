// unary on CUDA against the CPU op.
#include <cmath>

#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {

TEST_CASE("cuda unary: every kind, lengths around vectors and blocks, small and large arguments") {
  for_each_cuda_dtype([](DType dtype) {
    for (const std::string kind : {"silu", "gelu", "quick_gelu"}) {
      for (const int64_t count : {1, 3, 4, 7, 8, 9, 1023, 1024, 1025, 2048, 5001}) {
        INFO(kind, " of ", count);
        HostTensor x = HostTensor::random(dtype, {count}, 1);
        for (int64_t i = 0; i < count; ++i) x.set(i, x.at(i) * (i % 3 == 0 ? 20 : 3));
        const HostTensor got = run_cuda("unary", {{"kind", kind}}, {x}, dtype, {count});
        const HostTensor expected = run_cpu_in_float32("unary", {{"kind", kind}}, {x}, {count});
        CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), 4e-6);
      }
    }
  });
}

TEST_CASE("cuda unary: exponentials, logarithms and roots of positive numbers") {
  for_each_cuda_dtype([](DType dtype) {
    for (const std::string kind : {"exp", "log", "rsqrt"}) {
      HostTensor x = HostTensor::random(dtype, {1030}, 1);
      for (int64_t i = 0; i < 1030; ++i) x.set(i, std::abs(x.at(i)) + 0.25);
      const HostTensor got = run_cuda("unary", {{"kind", kind}}, {x}, dtype, {1030});
      const HostTensor expected = run_cpu_in_float32("unary", {{"kind", kind}}, {x}, {1030});
      CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), 4e-6);
    }
  });
}

}  // namespace ipai::test
