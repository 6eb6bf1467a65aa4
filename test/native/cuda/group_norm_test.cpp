// group_norm on CUDA against the CPU op.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

struct Case {
  std::vector<int64_t> extents;
  int64_t groups;
  std::string activation = "none";
  double offset = 0;

  AttributeMap attributes() const {
    return {{"groups", static_cast<double>(groups)}, {"epsilon", 1e-6}, {"activation", activation}};
  }
  std::vector<HostTensor> inputs(DType dtype) const {
    HostTensor x = HostTensor::random(dtype, extents, 1);
    for (int64_t i = 0; offset != 0 && i < x.type().shape.size(); ++i) x.set(i, x.at(i) + offset);
    return {x, HostTensor::random(DType::kFloat32, {extents.back()}, 2),
            HostTensor::random(DType::kFloat32, {extents.back()}, 3)};
  }
};

void check(DType dtype, const Case& c) {
  INFO(Shape(c.extents).to_string(), ", ", c.groups, " groups, ", c.activation, ", offset ", c.offset);
  const std::vector<HostTensor> inputs = c.inputs(dtype);
  const HostTensor got = run_cuda("group_norm", c.attributes(), inputs, dtype, c.extents);
  const HostTensor expected = run_cpu_in_float32("group_norm", c.attributes(), inputs, c.extents);
  // The deviation of (-1, 1) is 0.6; the mean is rounded to float32 where it lies.
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), 4e-6 * (1 + std::fabs(c.offset)));
}

// The launches that the op records for a shape, with no memory behind it.
std::vector<KernelLaunch> launches_for(const std::vector<int64_t>& extents) {
  const Op& op = cuda_op("group_norm");
  TensorView x, channels;
  x.dtype = DType::kBFloat16;
  x.shape = Shape(extents);
  channels.shape = Shape(std::vector<int64_t>{extents.back()});
  const TensorView inputs[] = {x, channels, channels};
  CudaEncoder encoder(kCudaDevice);
  op.record(parse(op, Case{extents, 32}.attributes()).get(), {inputs, 3, &x, 1}, encoder);
  return encoder.launches();
}

}  // namespace

TEST_CASE("cuda group_norm: one kernel for few positions, groups of all widths") {
  for_each_cuda_dtype([](DType dtype) {
    check(dtype, {{1, 1, 1, 4}, 2});
    check(dtype, {{2, 3}, 1});
    check(dtype, {{2, 5, 5, 32}, 32});
    check(dtype, {{3, 7, 320}, 32, "silu"});
    check(dtype, {{1, 13, 11, 30}, 3, "silu"});
    check(dtype, {{2, 9, 2560}, 32});
    check(dtype, {{1, 4, 960}, 32, "silu"});
    check(dtype, {{1, 16, 16, 40}, 4, "none", 100});
    check(dtype, {{1, 3, 1024}, 1});
  });
}

TEST_CASE("cuda group_norm: two kernels, chunks and slices that are ragged") {
  for_each_cuda_dtype([](DType dtype) {
    check(dtype, {{2, 40, 41, 64}, 32});
    check(dtype, {{1, 37, 37, 24}, 4, "silu", 30});
    check(dtype, {{1, 30, 30, 200}, 5, "silu"});  // slices of 80 channels, the last of 40
    check(dtype, {{1, 257, 30}, 3});
    check(dtype, {{3, 300, 320}, 32, "silu"});
    check(dtype, {{1, 64, 64, 8}, 2, "none", -1000});
    check(dtype, {{1, 5000, 7}, 7, "silu"});
  });
}

TEST_CASE("cuda group_norm: random shapes") {
  for_each_cuda_dtype([](DType dtype) {
    Dice dice(4);
    for (int i = 0; i < 25; ++i) {
      const int64_t groups = dice.roll(1, 8);
      check(dtype, {{dice.roll(1, 3), dice.roll(1, 24), dice.roll(1, 24), groups * dice.roll(1, 12)},
                    groups,
                    dice.roll(0, 1) ? "silu" : "none"});
    }
  });
}

TEST_CASE("cuda group_norm: one large value among zeros, wherever it lies, costs no precision") {
  for (const int64_t place : {0, 1, 2399, 4799}) {
    INFO("at ", place);
    const Case c{{1, 600, 8}, 1};
    std::vector<HostTensor> inputs = c.inputs(DType::kFloat32);
    for (int64_t i = 0; i < 4800; ++i) inputs[0].set(i, i == place ? 1e4 : 1 + 1e-3 * inputs[0].at(i));
    const HostTensor got = run_cuda("group_norm", c.attributes(), inputs, DType::kFloat32, c.extents);
    const HostTensor expected = run_cpu_in_float32("group_norm", c.attributes(), inputs, c.extents);
    // The large value becomes 69 deviations; the others lie 1e-2 deviations from 0.
    CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), 69 * 4e-6);
    CHECK_LT(std::fabs(got.at(1000) - expected.at(1000)), 1e-6);
  }
}

TEST_CASE("cuda group_norm: as good over a large picture, far from zero, as over a small one") {
  check(DType::kBFloat16, {{1, 256, 512, 64}, 16, "silu", 10});
}

TEST_CASE("cuda group_norm: a picture of 512 x 512 x 128 keeps a device busy, a small one takes one kernel") {
  if (!cuda_op("group_norm").record) return;  // the library of a real device does not tell what it records
  const std::vector<KernelLaunch> large = launches_for({1, 512, 512, 128});
  REQUIRE_EQ(large.size(), 2);
  CHECK_GE(large[0].shape.grid.x, 256);
  CHECK_GE(large[1].shape.grid.x, 256);
  CHECK_GE(launches_for({2, 64, 64, 320})[0].shape.grid.x, 256);
  CHECK_EQ(launches_for({2, 16, 16, 1280}).size(), 1);
}

TEST_CASE("cuda group_norm: refuses groups that no kernel was built for") {
  const Case c{{1, 2, 2, 257}, 1};
  const std::vector<HostTensor> inputs = c.inputs(DType::kBFloat16);
  CHECK_EQ(validate(cuda_op("group_norm"), c.attributes(), inputs, inputs[0].type(), kCudaDevice),
           "x: expected groups of at most 256 channels; got bfloat16 [1, 2, 2, 257]");
}

}  // namespace ipai::test
