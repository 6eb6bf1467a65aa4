// embedding and gather_tokens on CUDA: rows by index, and NaN for an index outside.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

HostTensor integers(const std::vector<int64_t>& extents, const std::vector<int32_t>& values) {
  HostTensor tensor(DType::kInt32, extents);
  for (size_t i = 0; i < values.size(); ++i) tensor.set(static_cast<int64_t>(i), values[i]);
  return tensor;
}

}  // namespace

TEST_CASE("cuda embedding: rows of any float table as any float") {
  const HostTensor ids = integers({2, 4}, {0, 49, 7, -1, 50, INT32_MIN, INT32_MAX, 7});
  for_each_cuda_dtype([&](DType from) {
    for_each_cuda_dtype([&](DType to) {
      for (const int64_t channels : {1, 16, 37, 768}) {
        INFO(channels, " channels");
        const HostTensor table = HostTensor::random(from, {50, channels}, 1);
        const AttributeMap attributes{{"dtype", dtype_name(to)}};
        const std::vector<int64_t> extents = {2, 4, channels};
        const HostTensor expected =
            run(targets().back().op("embedding"), attributes, {table, ids}, to, extents);
        const HostTensor got = run_cuda("embedding", attributes, {table, ids}, to, extents);
        bool equal = true;
        for (int64_t i = 0; i < 8 * channels; ++i) {
          equal = equal && (std::isnan(expected.at(i)) ? std::isnan(got.at(i)) : got.at(i) == expected.at(i));
        }
        CHECK(equal);
      }
    });
  });
}

TEST_CASE("cuda gather_tokens: one token per sample") {
  for_each_cuda_dtype([](DType dtype) {
    const std::vector<int32_t> list = {6, 0, -1, 7, 3};
    for (const int64_t channels : {1, 19, 768}) {
      const HostTensor x = HostTensor::random(dtype, {5, 7, channels}, 1);
      const HostTensor got = run_cuda("gather_tokens", {}, {x, integers({5}, list)}, dtype, {5, channels});
      const auto expected = [&](int64_t i) {
        const int64_t sample = i / channels;
        const int32_t token = list[static_cast<size_t>(sample)];
        return token < 0 || token >= 7 ? std::numeric_limits<double>::quiet_NaN()
                                       : x.at((sample * 7 + token) * channels + i % channels);
      };
      CHECK_EQ(worst_error(got, [&](int64_t i) { return expected(i); }), 0);
    }
  });
}

}  // namespace ipai::test
