// attention on CUDA against the CPU op.
#include "attention_checks.h"

namespace ipai::test {
namespace {

struct Case : AttentionExtents {
  bool causal = false;
  std::vector<int64_t> mask = {};  // extents; empty for none
  double scale = 1;                // times 1 / √head size

  AttributeMap attributes() const {
    return {{"heads", static_cast<double>(heads)},
            {"scale", scale / std::sqrt(static_cast<double>(head_size))},
            {"causal", causal ? 1.0 : 0.0}};
  }
  std::vector<HostTensor> inputs(DType dtype) const {
    return {tokens(dtype, queries, 1), tokens(dtype, keys, 2), tokens(dtype, keys, 3),
            mask.empty() ? HostTensor() : HostTensor::random(DType::kFloat32, mask, 4)};
  }
};

HostTensor check(const Case& c, const std::vector<HostTensor>& inputs, double score = 1,
                 const DeviceTraits& device = kCudaDevice) {
  INFO("batch ", c.batch, ", queries ", c.queries, ", keys ", c.keys, ", heads ", c.heads, ", size ",
       c.head_size, c.causal ? ", causal" : "", ", mask ", Shape(c.mask).to_string(), ", scale ", c.scale,
       ", compute capability ", device.compute_capability);
  const HostTensor got =
      run_cuda("attention", c.attributes(), inputs, inputs[0].type().dtype, c.output(), device);
  const HostTensor expected = run_cpu_in_float32("attention", c.attributes(), inputs, c.output());
  const HostTensor magnitudes = run_cpu_in_float32(
      "attention", c.attributes(), {inputs[0], inputs[1], magnitudes_of(inputs[2]), inputs[3]}, c.output());
  CHECK_LT(error_of_rounding(got, expected, magnitudes, score), 1);
  return got;
}

void check_all(const std::vector<Case>& cases) {
  for_each_half_dtype([&](DType dtype) {
    for (const Case& c : cases) {
      for_each_way(c.head_size, [&](const DeviceTraits& device) { check(c, c.inputs(dtype), 1, device); });
    }
  });
}

constexpr int64_t kHeadSizes[] = {16, 24, 32, 40, 64, 80, 88, 128, 160};

}  // namespace

TEST_CASE("cuda attention: each size of heads, ragged tiles, down to one token") {
  for (const int64_t size : kHeadSizes) {
    check_all({{{1, 1, 1, 1, size}}, {{2, 17, 77, 3, size}}, {{1, 65, 130, 1, size}}});
  }
}

TEST_CASE("cuda attention: blocks of keys that end anywhere, queries of several blocks") {
  check_all({{{1, 16, 63, 1, 40}},
             {{1, 16, 64, 1, 40}},
             {{1, 16, 65, 1, 40}},
             {{1, 5, 257, 2, 80}},
             {{3, 129, 16, 2, 40}},
             {{1, 64, 33, 1, 160}},
             {{1, 16, 273, 2, 64}}});
}

TEST_CASE("cuda attention: few queries, whose block's warps share the keys") {
  for (const int64_t size : kHeadSizes) check_all({{{1, 16, 273, 1, size}}});
  check_all({{{2, 16, 257, 2, 64}, false, {}, 8}, {{1, 1, 300, 1, 40}}, {{1, 5, 321, 1, 64}, false, {}, -2}});
}

TEST_CASE("cuda attention: kernels by shape") {
  const auto check_kernel = [](const Case& c, const std::string& kernel,
                               const DeviceTraits& device = kCudaDevice) {
    check_launches("attention", c.attributes(), c.inputs(DType::kFloat16), c.output(), device, {kernel});
  };
  check_kernel({{1, 16, 273, 12, 64}}, "attention_split_keys");
  check_kernel({{1, 16, 93, 12, 64}}, "attention_narrow");
  check_kernel({{1, 257, 257, 16, 80}}, "attention_by_groups");
  check_kernel({{1, 257, 257, 16, 80}}, "attention_narrow", kWarpDevice);
  check_kernel({{1, 77, 77, 12, 64}, true}, "attention_masked");
  check_kernel({{4, 4096, 1, 8, 40}}, "attention_by_groups");
  check_kernel({{4, 4096, 1, 8, 40}}, "attention_wide", kWarpDevice);
  check_kernel({{2, 256, 1, 8, 160}}, "attention_narrow", kWarpDevice);
  check_kernel({{1, 64, 1, 1, 512}}, "attention_sliced_head");
}

TEST_CASE("cuda attention: wide tiles, where queries fill the device, give the bits of narrow ones") {
  for (const int64_t size : {16, 40, 64, 80, 88}) {
    for_each_half_dtype([&](DType dtype) {
      const Case c{{1, size <= 40 ? 333 : 250, 141, 1, size}, false, {}, 3};
      const std::vector<HostTensor> inputs = c.inputs(dtype);
      check_launches("attention", c.attributes(), inputs, c.output(), kSmallWarpDevice, {"attention_wide"});
      const HostTensor wide =
          run_cuda("attention", c.attributes(), inputs, dtype, c.output(), kSmallWarpDevice);
      CHECK(wide.has_bits_of(check(c, inputs, 1, kWarpDevice)));
    });
  }
}

TEST_CASE("cuda attention: blocks of several warpgroups give the bits of those of one") {
  for (const int64_t size : {40, 80, 160}) {
    for_each_half_dtype([&](DType dtype) {
      const Case c{{1, 250, 247, 1, size}, false, {}, 3};
      const std::vector<HostTensor> inputs = c.inputs(dtype);
      const HostTensor several =
          run_cuda("attention", c.attributes(), inputs, dtype, c.output(), kSmallDevice);
      CHECK(several.has_bits_of(check(c, inputs)));
    });
  }
}

TEST_CASE("cuda attention: a head of 512 in slices") {
  check_all({{{1, 1, 1, 1, 512}},
             {{2, 33, 65, 1, 512}},
             {{1, 70, 31, 2, 512}, true},
             {{1, 31, 70, 1, 512}, true},
             {{1, 20, 50, 1, 512}, false, {1, 20, 50}, -5}});
}

TEST_CASE("cuda attention: causal, with masks that broadcast over samples and queries") {
  check_all({{{2, 77, 77, 2, 64}, true},
             {{1, 150, 150, 1, 40}, true},
             {{1, 5, 90, 1, 80}, true},
             {{1, 90, 5, 1, 80}, true},
             {{2, 7, 70, 2, 40}, false, {2, 7, 70}},
             {{2, 7, 70, 2, 40}, false, {1, 7, 70}},
             {{2, 7, 70, 2, 40}, false, {2, 1, 70}},
             {{2, 7, 70, 2, 160}, false, {1, 1, 70}},
             {{2, 70, 100, 1, 88}, true, {1, 70, 100}}});
}

TEST_CASE("cuda attention: scales may be large, negative or 0") {
  check_all({{{1, 20, 90, 2, 40}, false, {}, 12},
             {{1, 20, 90, 2, 40}, false, {}, -3},
             {{1, 20, 30, 2, 40}, false, {}, 0},
             {{1, 20, 30, 2, 40}, true, {1, 20, 30}, -3}});
}

TEST_CASE("cuda attention: queries that see no key give zeros, hidden keys count for nothing") {
  const double hidden = -std::numeric_limits<double>::infinity();
  for_each_half_dtype([&](DType dtype) {
    const Case c{{1, 20, 100, 2, 40}, false, {1, 20, 100}};
    std::vector<HostTensor> inputs = c.inputs(dtype);
    for (int64_t key = 0; key < 100; ++key) {
      inputs[3].set(3 * 100 + key, hidden);
      if (key < 80) inputs[3].set(4 * 100 + key, hidden);   // whole blocks first, then visible keys
      if (key >= 20) inputs[3].set(5 * 100 + key, hidden);  // the other way round
    }
    const HostTensor got = check(c, inputs);
    for (int64_t channel = 0; channel < c.channels(); ++channel)
      CHECK_EQ(got.at(3 * c.channels() + channel), 0);
  });
}

TEST_CASE("cuda attention: maxima that grow from step to step") {
  for_each_half_dtype([](DType dtype) {
    const Case c{{1, 20, 150, 1, 40}, false, {1, 1, 150}};
    std::vector<HostTensor> inputs = c.inputs(dtype);
    for (int64_t key = 0; key < 150; ++key) inputs[3].set(key, static_cast<double>(key) - 100);
    check(c, inputs, 10);
    // Without a mask: keys that grow, all in the direction of the queries.
    const Case plain{{1, 20, 150, 1, 40}, false, {}, 4};
    std::vector<HostTensor> growing = plain.inputs(dtype);
    for (int64_t i = 0; i < 20 * 40; ++i) growing[0].set(i, 1);
    for (int64_t i = 0; i < 150 * 40; ++i) growing[1].set(i, static_cast<double>(i / 40) / 64);
    check(plain, growing, 60);
  });
}

TEST_CASE("cuda attention: NaN stays in its query and its head") {
  for_each_half_dtype([](DType dtype) {
    const Case c{{1, 20, 70, 2, 40}};
    std::vector<HostTensor> inputs = c.inputs(dtype);
    inputs[0].set(7 * 80 + 3, std::numeric_limits<double>::quiet_NaN());
    for (int64_t token = 0; token < 70; ++token) {
      inputs[2].set(token * 80 + 41, std::numeric_limits<double>::quiet_NaN());
    }
    const HostTensor got = run_cuda("attention", c.attributes(), inputs, dtype, c.output());
    for (int64_t i = 0; i < 20 * 80; ++i) {
      CHECK_EQ(std::isnan(got.at(i)), (i / 80 == 7 && i % 80 < 40) || i % 80 == 41);
    }
  });
}

TEST_CASE("cuda attention: a query's bits depend neither on other queries nor on other samples") {
  for_each_half_dtype([](DType dtype) {
    const Case c{{2, 70, 90, 1, 40}, false, {}, 8};
    const std::vector<HostTensor> inputs = c.inputs(dtype);
    const HostTensor all = run_cuda("attention", c.attributes(), inputs, dtype, c.output());
    const auto part = [](const HostTensor& x, int64_t rows) {  // the last rows of the last sample
      HostTensor result(x.type().dtype, {1, rows, 40});
      std::memcpy(result.data(), x.data() + x.byte_size() - result.byte_size(), result.byte_size());
      return result;
    };
    for (const int64_t rows : {1, 21}) {
      const HostTensor some =
          run_cuda("attention", c.attributes(),
                   {part(inputs[0], rows), part(inputs[1], 90), part(inputs[2], 90), HostTensor()}, dtype,
                   {1, rows, 40});
      CHECK(some.has_bits_of(part(all, rows)));
    }
  });
}

TEST_CASE("cuda attention: float32, and heads of sizes that the tensor cores have no plan for") {
  for_each_cuda_dtype([](DType dtype) {
    const auto check_case = [&](const Case& c) {
      INFO("size ", c.head_size);
      const std::vector<HostTensor> inputs = c.inputs(dtype);
      check_launches("attention", c.attributes(), inputs, c.output(), kCudaDevice, {"attention_any_head"});
      check(c, inputs, std::max(1.0, std::fabs(c.scale)));
    };
    for (const int64_t size : {1, 3, 8, 12, 33, 48, 96, 161, 511}) {
      check_case({{1, 1, 1, 1, size}});
      check_case({{2, 17, 77, 3, size}});
    }
    check_case({{1, 40, 32, 1, 12}});
    check_case({{2, 70, 70, 2, 8}, true});
    check_case({{1, 5, 90, 1, 12}, true});
    check_case({{2, 7, 70, 2, 8}, false, {2, 1, 70}});
    check_case({{2, 37, 100, 1, 12}, true, {1, 37, 100}, -3});
    check_case({{1, 20, 30, 2, 48}, false, {}, 0});
    check_case({{1, 20, 90, 2, 48}, false, {}, 12});
  });
  for (const int64_t size : {40, 64, 160, 512}) {
    const Case c{{1, 17, 77, 2, size}};
    check(c, c.inputs(DType::kFloat32));
  }
}

TEST_CASE("cuda attention: any head's queries that see no key give zeros") {
  for_each_cuda_dtype([](DType dtype) {
    const Case c{{1, 5, 70, 2, 12}, false, {1, 5, 70}};
    std::vector<HostTensor> inputs = c.inputs(dtype);
    for (int64_t key = 0; key < 70; ++key) {
      inputs[3].set(3 * 70 + key, -std::numeric_limits<double>::infinity());
      if (key < 40) inputs[3].set(4 * 70 + key, -std::numeric_limits<double>::infinity());
    }
    const HostTensor got = check(c, inputs);
    for (int64_t channel = 0; channel < c.channels(); ++channel) {
      CHECK_EQ(got.at(3 * c.channels() + channel), 0);
    }
  });
}

TEST_CASE("cuda attention: says which sizes of heads there are") {
  const auto refusal = [](DType dtype, int64_t channels) {
    const HostTensor q(dtype, {1, 2, channels});
    const AttributeMap attributes = {{"heads", 2.0}, {"scale", 1.0}, {"causal", 0.0}};
    return validate(cuda_op("attention"), attributes, {q, q, q, HostTensor()}, q.type(), kCudaDevice);
  };
  CHECK_EQ(refusal(DType::kBFloat16, 80), "");
  CHECK_EQ(refusal(DType::kFloat32, 1024), "");
  CHECK_EQ(refusal(DType::kFloat16, 1026),
           "q: expected heads of at most 512 channels on CUDA; got float16 [1, 2, 1026] with 2 heads");
}

}  // namespace ipai::test
