// pack_conv2d and conv2d on CUDA against the CPU ops.
#include "checks.h"
#include "conv_reference.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

void check(const ConvCase& c) {
  for_each_cuda_dtype([&](DType dtype) {
    const ConvInputs in(c, dtype);
    INFO("x ", in.x.type().shape.to_string(), " weight ", in.weight.type().shape.to_string(), " stride ",
         c.stride, " view ", c.view_height(), "x", c.view_width());
    const HostTensor packed = run_cuda("pack_conv2d", c.packing(dtype), {in.weight}, dtype, c.kernels());
    const HostTensor got = run_cuda("conv2d", c.attributes(),
                                    {in.x, packed, in.bias, in.sample_bias, in.residual}, dtype, c.output());
    const HostTensor expected = run_cpu(c, in);
    CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance(c));
  });
}

std::string refusal(const ConvCase& c, DType dtype) {
  const ConvInputs in(c, dtype);
  return validate(cuda_op("conv2d"), c.attributes(), {in.x, in.weight, {}, {}, {}},
                  HostTensor(dtype, c.output()).type(), kCudaDevice);
}

}  // namespace

TEST_CASE("cuda conv2d: 3x3 with channels around chunks and steps") {
  for (const int64_t channels : {1, 3, 4, 8, 24, 64, 68}) {
    for (const int64_t outputs : {1, 3, 4, 8, 72}) check({2, 5, 6, channels, outputs, 3, 1, kSame});
  }
}

TEST_CASE("cuda conv2d: more than one tile of pixels and outputs, depth through every stage") {
  check({1, 12, 11, 40, 130, 3, 1, kSame});
  check({3, 9, 7, 136, 20, 3, 1, kSame});
}

TEST_CASE("cuda conv2d: 1x1, dense and not") {
  check({2, 3, 5, 7, 33, 1});
  check({2, 8, 5, 64, 40, 1});
  check({2, 3, 5, 7, 33, 1, 2});
  check({1, 3, 5, 8, 4, 1, 1, {1, 0, 0, 2}});
}

TEST_CASE("cuda conv2d: stride 2 with the paddings of UNet and autoencoder") {
  check({2, 8, 6, 8, 6, 3, 2, kSame});
  check({1, 8, 8, 5, 8, 3, 2, {0, 0, 1, 1}});
  check({1, 7, 9, 16, 6, 3, 2, {0, 0, 1, 1}});
}

TEST_CASE("cuda conv2d: patches of 14x14, an even kernel") {
  check({2, 28, 42, 3, 20, 14, 14});
  check({1, 30, 15, 3, 20, 14, 14});
  check({1, 6, 7, 5, 9, 2, 1});
}

TEST_CASE("cuda conv2d: padding wider than the picture") {
  check({1, 1, 2, 3, 4, 3, 1, {4, 0, 1, 5}});
}

TEST_CASE("cuda conv2d: the picture read as if upsampled, to even and odd sizes") {
  check({2, 3, 4, 8, 8, 3, 1, kSame, 6, 8});
  check({1, 3, 4, 6, 5, 3, 1, kSame, 7, 9});
  check({1, 4, 5, 3, 5, 3, 2, {0, 0, 1, 1}, 11, 7});
  check({1, 3, 2, 130, 5, 3, 1, kSame, 5, 5});
  check({1, 3, 2, 5, 5, 1, 1, {0, 0, 0, 0}, 3, 4});
}

TEST_CASE("cuda conv2d: bias of each sample, activation and residual") {
  for (const int64_t outputs : {21, 24}) {
    for (const int64_t sample_bias_rows : {0, 1, 3}) {
      for (const char* activation : {"none", "silu"}) {
        check({3, 3, 5, 6, outputs, 3, 1, kSame, 0, 0, activation, sample_bias_rows, true});
        check({3, 3, 5, 6, outputs, 1, 1, {0, 0, 0, 0}, 0, 0, activation, sample_bias_rows, false});
      }
    }
  }
  check({3, 2, 3, 160, 24, 3, 1, kSame, 0, 0, "silu", 3, true});  // its depth is split
}

TEST_CASE("cuda conv2d: what there is no kernel for is refused") {
  const ConvCase good = {1, 5, 6, 4, 8, 3, 1, kSame};
  CHECK_EQ(refusal(good, DType::kFloat16), "");
  CHECK_EQ(refusal(good, DType::kFloat32), "");
  ConvCase winograd = good;
  winograd.algorithm = "winograd_4x4";
  CHECK_EQ(refusal(winograd, DType::kFloat16),
           "algorithm: expected direct, the one on CUDA; got winograd_4x4");
  const HostTensor weight(DType::kFloat16, {8, 4, 3, 3});
  AttributeMap packing = good.packing(DType::kFloat16);
  packing["algorithm"] = "winograd_2x2_held";
  CHECK_EQ(validate(cuda_op("pack_conv2d"), packing, {weight}, weight.type(), kCudaDevice),
           "algorithm: expected direct, the one on CUDA; got winograd_2x2_held");
  ConvCase huge = {1, 1, 4, 1, 1, 1};
  huge.upsample_height = 40000;
  huge.upsample_width = 4;
  CHECK_EQ(refusal(huge, DType::kFloat16),
           "x: expected pictures of at most 32767 lines and columns, upsampled and padded; got 40000");
}

}  // namespace ipai::test
