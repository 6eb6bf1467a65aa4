// layer_norm on CUDA against the CPU op.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

AttributeMap attributes_of(DType dtype) {
  return {{"epsilon", 1e-5}, {"dtype", dtype_name(dtype)}};
}

struct Case {
  DType dtype;
  int64_t rows, channels;
  bool has_scale, has_shift;
  double offset = 0;
};

void check(const Case& c, DType result) {
  const auto& [dtype, rows, channels, has_scale, has_shift, offset] = c;
  INFO(rows, " rows of ", channels, ", offset ", offset, " to ", dtype_name(result));
  HostTensor x = HostTensor::random(dtype, {rows, channels}, 1);
  for (int64_t i = 0; i < rows * channels; ++i) x.set(i, x.at(i) + offset);
  const HostTensor scale = has_scale ? HostTensor::random(DType::kFloat32, {channels}, 2) : HostTensor();
  const HostTensor shift = has_shift ? HostTensor::random(DType::kFloat32, {channels}, 3) : HostTensor();
  const std::vector<HostTensor> inputs = {x, scale, shift};
  const HostTensor got = run_cuda("layer_norm", attributes_of(result), inputs, result, {rows, channels});
  const HostTensor expected =
      run_cpu_in_float32("layer_norm", attributes_of(DType::kFloat32), inputs, {rows, channels});
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), 4e-6 * (1 + std::fabs(offset)));
}

void check(const Case& c) {
  check(c, c.dtype);
}

}  // namespace

TEST_CASE("cuda layer_norm: widths around vectors and warps, with and without scale and shift") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t channels : {1, 3, 7, 8, 16, 17, 64, 249, 256, 264, 320, 768, 1279, 1280, 2560, 2568}) {
      check({dtype, 1, channels, true, false});
      check({dtype, 5, channels, true, true});
      check({dtype, 2, channels, false, true});
      check({dtype, 9, channels, false, false});
    }
    check({dtype, 3, 320, true, true, 100});
    check({dtype, 3, 321, true, true, 100});
  });
}

TEST_CASE("cuda layer_norm: float32 to narrower ones") {
  for (const DType result : {DType::kFloat16, DType::kBFloat16}) {
    for (const int64_t channels : {1, 7, 8, 20, 256, 260, 768, 1280, 2568})
      check({DType::kFloat32, 5, channels, true, true}, result);
  }
}

TEST_CASE("cuda layer_norm: takes float16, which the CPU op does not") {
  const HostTensor x(DType::kFloat16, {2, 4});
  const std::vector<HostTensor> inputs = {x, HostTensor(), HostTensor()};
  const AttributeMap attributes = attributes_of(DType::kFloat16);
  CHECK_EQ(validate(cuda_op("layer_norm"), attributes, inputs, x.type(), kCudaDevice), "");
  CHECK_EQ(validate(targets()[0].op("layer_norm"), attributes, inputs, x.type()),
           "x: expected float32 or bfloat16 [..., C]; got float16 [2, 4]");
}

}  // namespace ipai::test
