// unary on CUDA against the CPU op.
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

}  // namespace ipai::test
