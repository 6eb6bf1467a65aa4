// layer_norm against float64.
#include "checks.h"

namespace ipai::test {
namespace {

constexpr double kEpsilon = 1e-5;

std::vector<double> reference(const HostTensor& x, int64_t channels, const HostTensor& scale,
                              const HostTensor& shift) {
  std::vector<double> result;
  for (int64_t first = 0; first < x.type().shape.size(); first += channels) {
    double mean = 0;
    double variance = 0;
    for (int64_t c = 0; c < channels; ++c) mean += x.at(first + c) / static_cast<double>(channels);
    for (int64_t c = 0; c < channels; ++c) {
      variance += (x.at(first + c) - mean) * (x.at(first + c) - mean) / static_cast<double>(channels);
    }
    for (int64_t c = 0; c < channels; ++c) {
      const double normal =
          (x.at(first + c) - mean) / std::sqrt(variance + static_cast<double>(static_cast<float>(kEpsilon)));
      result.push_back(normal * (scale.type().absent ? 1 : scale.at(c)) +
                       (shift.type().absent ? 0 : shift.at(c)));
    }
  }
  return result;
}

AttributeMap attributes_of(double epsilon, DType dtype) {
  return {{"epsilon", epsilon}, {"dtype", dtype_name(dtype)}};
}

struct Case {
  DType dtype;
  int64_t rows, channels;
  bool has_scale, has_shift;
  double offset = 0;
};

void check(const Target& target, const Case& c, DType result) {
  const auto& [dtype, rows, channels, has_scale, has_shift, offset] = c;
  INFO(rows, " rows of ", channels, ", offset ", offset, " to ", dtype_name(result));
  HostTensor x = HostTensor::random(dtype, {rows, channels}, 1);
  for (int64_t i = 0; i < rows * channels; ++i) x.set(i, x.at(i) + offset);
  const HostTensor scale = has_scale ? HostTensor::random(DType::kFloat32, {channels}, 2) : HostTensor();
  const HostTensor shift = has_shift ? HostTensor::random(DType::kFloat32, {channels}, 3) : HostTensor();
  const HostTensor got = run_every_way(target.op("layer_norm"), attributes_of(kEpsilon, result),
                                       {x, scale, shift}, result, {rows, channels});
  const std::vector<double> expected = reference(x, channels, scale, shift);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected[static_cast<size_t>(i)]; }),
           2e-6 * (1 + std::fabs(offset)));
}

}  // namespace

TEST_CASE("layer_norm: widths around vectors, with and without scale and shift, away from zero") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const int64_t channels : {1, 3, 8, 16, 17, 31, 33, 320, 768, 1280}) {
      check(target, {dtype, 5, channels, true, true}, dtype);
      check(target, {dtype, 1, channels, true, false}, dtype);
      check(target, {dtype, 2, channels, false, true}, dtype);
      check(target, {dtype, 70, channels, false, false}, dtype);
      check(target, {dtype, 3, channels, true, true, 100}, dtype);
    }
  });
}

TEST_CASE("layer_norm: float32 to bfloat16") {
  for (const Target& target : targets()) {
    for (const int64_t channels : {1, 16, 33, 768})
      check(target, {DType::kFloat32, 6, channels, true, true}, DType::kBFloat16);
  }
}

TEST_CASE("layer_norm: scale and shift at odd addresses") {
  for (const Target& target : targets()) {
    const HostTensor x = HostTensor::random(DType::kFloat32, {4, 37}, 1);
    const HostTensor scale = HostTensor::random(DType::kFloat32, {37}, 2);
    const auto normalize = [&](const HostTensor& s) {
      return run(target.op("layer_norm"), attributes_of(kEpsilon, DType::kFloat32), {x, s, s},
                 DType::kFloat32, {4, 37});
    };
    CHECK(normalize(scale.at_odd_address()).has_bits_of(normalize(scale)));
  }
}

TEST_CASE("layer_norm: refuses types that do not fit") {
  const Op& op = targets()[0].op("layer_norm");
  const HostTensor x(DType::kBFloat16, {2, 4});
  const HostTensor channels(DType::kFloat32, {4});
  const auto check = [&](double epsilon, const std::vector<HostTensor>& inputs, const TensorType& output) {
    return validate(op, attributes_of(epsilon, output.dtype), inputs, output);
  };
  CHECK_EQ(check(0, {x, channels, channels}, x.type()), "");
  CHECK_NE(check(-1, {x, channels, channels}, x.type()), "");
  CHECK_NE(check(0, {x, HostTensor(DType::kBFloat16, {4}), channels}, x.type()), "");
  CHECK_NE(check(0, {x, channels, HostTensor(DType::kFloat32, {5})}, x.type()), "");
  CHECK_NE(check(0, {HostTensor(DType::kFloat32, {2, 0}), HostTensor(), HostTensor()}, x.type()), "");
  CHECK_NE(check(0, {x, HostTensor(), HostTensor()}, HostTensor(DType::kFloat32, {2, 4}).type()), "");
}

}  // namespace ipai::test
