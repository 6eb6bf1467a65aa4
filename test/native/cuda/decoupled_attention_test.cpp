// decoupled_attention on CUDA against the CPU op.
#include "attention_checks.h"

namespace ipai::test {
namespace {

constexpr const char* kName = "decoupled_attention";

struct Case : AttentionExtents {
  int64_t image_keys;
  double scale = 1;  // times 1 / √head size

  AttributeMap attributes() const {
    return {{"heads", static_cast<double>(heads)},
            {"scale", scale / std::sqrt(static_cast<double>(head_size))}};
  }
  std::vector<HostTensor> inputs(DType dtype) const {
    return {tokens(dtype, queries, 1),    tokens(dtype, keys, 2),
            tokens(dtype, keys, 3),       tokens(dtype, image_keys, 4),
            tokens(dtype, image_keys, 5), HostTensor::random(DType::kFloat32, {batch}, 6)};
  }
};

// `launch` is the kernel that is expected to run.
void check(const Case& c, DType dtype, const std::string& launch, const DeviceTraits& device = kCudaDevice) {
  INFO("batch ", c.batch, ", queries ", c.queries, ", keys ", c.keys, ", image keys ", c.image_keys,
       ", heads ", c.heads, ", size ", c.head_size, ", scale ", c.scale, ", compute capability ",
       device.compute_capability);
  const std::vector<HostTensor> inputs = c.inputs(dtype);
  check_launches(kName, c.attributes(), inputs, c.output(), device, {launch});
  const HostTensor got = run_cuda(kName, c.attributes(), inputs, dtype, c.output(), device);
  const HostTensor expected = run_cpu_in_float32(kName, c.attributes(), inputs, c.output());
  std::vector<HostTensor> magnitudes = inputs;
  for (const size_t i : {2u, 4u, 5u}) magnitudes[i] = magnitudes_of(inputs[i]);
  CHECK_LT(
      error_of_rounding(got, expected, run_cpu_in_float32(kName, c.attributes(), magnitudes, c.output())), 1);
}

// Of heads that warpgroups take too, `launch` is the kernel without them.
void check_ways(const Case& c, DType dtype, const std::string& launch) {
  const bool by_groups = c.head_size == 40 || c.head_size == 80 || c.head_size == 160;
  check(c, dtype, by_groups ? "decoupled_attention_by_groups" : launch);
  check(c, dtype, launch, kWarpDevice);
}

}  // namespace

TEST_CASE("cuda decoupled_attention: each size of heads, keys that stay in shared memory") {
  for_each_half_dtype([](DType dtype) {
    for (const int64_t size : {16, 24, 32, 40, 64, 80, 88, 128, 160}) {
      check_ways({{2, 37, 77, 2, size}, 16}, dtype, "decoupled_attention_resident");
      check_ways({{1, 1, 1, 1, size}, 1}, dtype, "decoupled_attention_resident");
    }
    check_ways({{3, 49, 77, 1, 80}, 4}, dtype, "decoupled_attention_resident");
    check_ways({{1, 100, 77, 1, 40}, 257}, dtype, "decoupled_attention_resident");
    check_ways({{1, 20, 128, 1, 40}, 64, 10}, dtype, "decoupled_attention_resident");
    check_ways({{1, 20, 65, 1, 40}, 17, -4}, dtype, "decoupled_attention_resident");
    check_ways({{1, 20, 65, 1, 40}, 17, 0}, dtype, "decoupled_attention_resident");
  });
}

TEST_CASE("cuda decoupled_attention: blocks that take several tiles of queries each") {
  for_each_half_dtype([](DType dtype) {
    check({{1, 300, 20, 1, 40}, 5}, dtype, "decoupled_attention_resident", kSmallWarpDevice);
    check({{2, 150, 77, 2, 160}, 16}, dtype, "decoupled_attention_resident", kSmallWarpDevice);
    check({{1, 300, 20, 1, 40}, 5}, dtype, "decoupled_attention_by_groups", kSmallDevice);
    check({{2, 150, 77, 2, 160}, 16}, dtype, "decoupled_attention_by_groups", kSmallDevice);
  });
}

TEST_CASE("cuda decoupled_attention: keys that do not fit into shared memory") {
  for_each_half_dtype([](DType dtype) {
    check_ways({{1, 70, 77, 1, 160}, 300}, dtype, "decoupled_attention_streaming");
    check_ways({{2, 17, 700, 1, 80}, 33}, dtype, "decoupled_attention_streaming");
    check_ways({{1, 17, 700, 1, 160}, 100}, dtype, "decoupled_attention_streaming");
    check_ways({{1, 17, 700, 1, 80}, 100}, dtype, "decoupled_attention_streaming");
    check_ways({{1, 17, 700, 1, 40}, 100}, dtype, "decoupled_attention_streaming");
  });
}

TEST_CASE("cuda decoupled_attention: a sample whose image_scale is 0 gets the bits of plain attention") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t image_keys : {16, 1500}) {
      for_each_way(40, [&](const DeviceTraits& device) {
        const Case c{{2, 50, 77, 2, 40}, image_keys};
        std::vector<HostTensor> inputs = c.inputs(dtype);
        inputs[5].set(0, 0);
        inputs[5].set(1, 1);
        const HostTensor got = run_cuda(kName, c.attributes(), inputs, dtype, c.output(), device);
        AttributeMap attributes = c.attributes();
        attributes["causal"] = 0.0;
        const HostTensor plain =
            run_cuda("attention", attributes, {inputs[0], inputs[1], inputs[2], HostTensor()}, dtype,
                     c.output(), device);
        CHECK_EQ(std::memcmp(got.data(), plain.data(), got.byte_size() / 2), 0);
        CHECK_FALSE(got.has_bits_of(plain));
      });
    }
  });
}

TEST_CASE("cuda decoupled_attention: float32, and heads of sizes that the tensor cores have no plan for") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t size : {3, 8, 12, 48, 200, 512}) {
      check({{2, 37, 77, 2, size}, 16}, dtype, "attention_any_head");
      check({{1, 1, 1, 1, size}, 1}, dtype, "attention_any_head");
    }
    check({{1, 20, 65, 1, 12}, 33, -4}, dtype, "attention_any_head");
  });
  for (const int64_t size : {40, 160}) {
    check({{2, 37, 77, 2, size}, 16}, DType::kFloat32, "attention_any_head");
  }
}

TEST_CASE("cuda decoupled_attention: says which sizes of heads there are") {
  const Case c{{1, 2, 2, 1, 513}, 2};
  const std::vector<HostTensor> inputs = c.inputs(DType::kFloat16);
  CHECK_EQ(validate(cuda_op(kName), c.attributes(), inputs, inputs[0].type(), kCudaDevice),
           "q: expected heads of at most 512 channels on CUDA; got float16 [1, 2, 513] with 1 head");
}

}  // namespace ipai::test
