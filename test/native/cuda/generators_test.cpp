// random_normal and timestep_embedding on CUDA: the CPU ops' bits.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {

TEST_CASE("cuda random_normal: the CPU's bits, for any length, seed and dtype") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t count : {1, 15, 16, 17, 63, 64, 65, 5003}) {
      for (const double seed : {0.0, 5.0, 4294967295.0}) {
        INFO(count, " numbers of seed ", seed);
        const AttributeMap attributes{{"shape", list_of({count})},
                                      {"seed", seed},
                                      {"mean", seed > 0 ? 0.25 : 0.0},
                                      {"std", seed > 0 ? 3.0 : 1.0},
                                      {"dtype", dtype_name(dtype)}};
        const HostTensor expected = run(targets().back().op("random_normal"), attributes, {}, dtype, {count});
        CHECK(run_cuda("random_normal", attributes, {}, dtype, {count}).has_bits_of(expected));
      }
    }
  });
}

TEST_CASE("cuda timestep_embedding: the CPU's bits, even and odd dimensions") {
  for (const double dim : {320.0, 7.0, 2.0, 1280.0}) {
    for (const double flip : {0.0, 1.0}) {
      INFO("dim ", dim, ", flip ", flip);
      const std::vector<double> timesteps = {0, 1, 0.5, 20, 999};
      HostTensor t(DType::kFloat32, {5});
      for (int64_t i = 0; i < 5; ++i) t.set(i, timesteps[static_cast<size_t>(i)]);
      const AttributeMap attributes{{"dim", dim},
                                    {"flip_sin_to_cos", flip},
                                    {"downscale_freq_shift", dim > 2 ? 1.0 : 0.0},
                                    {"max_period", 10000.0}};
      const std::vector<int64_t> extents = {5, static_cast<int64_t>(dim)};
      const HostTensor expected =
          run(targets().back().op("timestep_embedding"), attributes, {t}, DType::kFloat32, extents);
      CHECK(run_cuda("timestep_embedding", attributes, {t}, DType::kFloat32, extents).has_bits_of(expected));
    }
  }
}

}  // namespace ipai::test
