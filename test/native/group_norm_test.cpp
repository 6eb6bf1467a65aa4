// group_norm against float64.
#include "activation_reference.h"
#include "checks.h"

namespace ipai::test {
namespace {

constexpr float kEpsilon = 1e-6f;

struct Case {
  std::vector<int64_t> extents;
  int64_t groups;
  std::string activation = "none";
  double offset = 0;

  AttributeMap attributes() const {
    return {{"groups", static_cast<double>(groups)},
            {"epsilon", static_cast<double>(kEpsilon)},
            {"activation", activation}};
  }
};

std::vector<double> reference(const Case& c, const HostTensor& x, const HostTensor& scale,
                              const HostTensor& shift) {
  const int64_t channels = c.extents.back();
  const int64_t width = channels / c.groups;
  const int64_t positions = x.type().shape.size() / channels / c.extents[0];
  const auto count = static_cast<double>(positions * width);
  std::vector<double> result(static_cast<size_t>(x.type().shape.size()));
  for (int64_t sample = 0; sample < c.extents[0]; ++sample) {
    for (int64_t group = 0; group < c.groups; ++group) {
      const auto index = [&](int64_t i) {
        return (sample * positions + i / width) * channels + group * width + i % width;
      };
      double mean = 0;
      double variance = 0;
      for (int64_t i = 0; i < positions * width; ++i) mean += x.at(index(i)) / count;
      for (int64_t i = 0; i < positions * width; ++i)
        variance += (x.at(index(i)) - mean) * (x.at(index(i)) - mean) / count;
      for (int64_t i = 0; i < positions * width; ++i) {
        const int64_t channel = group * width + i % width;
        const double normal = (x.at(index(i)) - mean) / std::sqrt(variance + static_cast<double>(kEpsilon));
        result[static_cast<size_t>(index(i))] =
            activate(c.activation, normal * scale.at(channel) + shift.at(channel));
      }
    }
  }
  return result;
}

void check(const Target& target, DType dtype, const Case& c) {
  INFO(Shape(c.extents).to_string(), ", ", c.groups, " groups, ", c.activation, ", offset ", c.offset);
  HostTensor x = HostTensor::random(dtype, c.extents, 1);
  for (int64_t i = 0; i < x.type().shape.size(); ++i) x.set(i, x.at(i) + c.offset);
  const HostTensor scale = HostTensor::random(DType::kFloat32, {c.extents.back()}, 2);
  const HostTensor shift = HostTensor::random(DType::kFloat32, {c.extents.back()}, 3);
  const HostTensor got =
      run_every_way(target.op("group_norm"), c.attributes(), {x, scale, shift}, dtype, c.extents);
  const std::vector<double> expected = reference(c, x, scale, shift);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected[static_cast<size_t>(i)]; }),
           2e-6 * (1 + std::fabs(c.offset)));
}

}  // namespace

TEST_CASE("group_norm: groups of all widths, one position, one group, several chunks, away from zero") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    check(target, dtype, {{1, 1, 1, 4}, 2});
    check(target, dtype, {{2, 3}, 1});
    check(target, dtype, {{2, 5, 5, 32}, 32});
    check(target, dtype, {{2, 7, 320}, 32, "silu"});
    check(target, dtype, {{1, 13, 11, 30}, 3, "silu"});
    check(target, dtype, {{2, 40, 41, 64}, 32});
    check(target, dtype, {{1, 20, 20, 256}, 32, "silu"});
    check(target, dtype, {{2, 9, 2560}, 32});
    check(target, dtype, {{1, 37, 37, 24}, 4, "silu", 30});
    check(target, dtype, {{1, 64, 64, 32}, 8, "none", -1000});
  });
}

TEST_CASE("group_norm: random shapes") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    Dice dice(4);
    for (int i = 0; i < 25; ++i) {
      const int64_t groups = dice.roll(1, 8);
      check(target, dtype,
            {{dice.roll(1, 3), dice.roll(1, 20), dice.roll(1, 20), groups * dice.roll(1, 9)},
             groups,
             dice.roll(0, 1) ? "silu" : "none"});
    }
  });
}

TEST_CASE("group_norm: statistics of a map of 512 x 512 x 128 are as good as those of a small one") {
  const Target& target = targets().back();
  const Case c{{1, 512, 512, 128}, 32, "none", 10};
  HostTensor x = HostTensor::random(DType::kFloat32, c.extents, 1);
  double mean = 0;
  double variance = 0;
  const int64_t count = 512 * 512 * 4;
  const auto index = [](int64_t i) { return i / 4 * 128 + i % 4; };  // group 0
  for (int64_t i = 0; i < x.type().shape.size(); ++i) x.set(i, x.at(i) + c.offset);
  for (int64_t i = 0; i < count; ++i) mean += x.at(index(i)) / static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    variance += (x.at(index(i)) - mean) * (x.at(index(i)) - mean) / static_cast<double>(count);
  HostTensor scale(DType::kFloat32, {128});
  HostTensor shift(DType::kFloat32, {128});
  for (int64_t i = 0; i < 128; ++i) {
    scale.set(i, 1);
    shift.set(i, 0);
  }
  const HostTensor got =
      run(target.op("group_norm"), c.attributes(), {x, scale, shift}, DType::kFloat32, c.extents, {2, -1});
  double worst = 0;
  for (int64_t i = 0; i < count; ++i) {
    const double expected = (x.at(index(i)) - mean) / std::sqrt(variance + static_cast<double>(kEpsilon));
    worst = std::max(worst, std::fabs(got.at(index(i)) - expected));
  }
  CHECK_LT(worst, 2e-6);
}

TEST_CASE("group_norm: scale and shift at odd addresses") {
  for (const Target& target : targets()) {
    const Case c{{2, 9, 20}, 4};
    const HostTensor x = HostTensor::random(DType::kFloat32, c.extents, 1);
    const HostTensor scale = HostTensor::random(DType::kFloat32, {20}, 2);
    const auto normalize = [&](const HostTensor& s) {
      return run(target.op("group_norm"), c.attributes(), {x, s, s}, DType::kFloat32, c.extents);
    };
    CHECK(normalize(scale.at_odd_address()).has_bits_of(normalize(scale)));
  }
}

TEST_CASE("group_norm: refuses types that do not fit") {
  const Op& op = targets()[0].op("group_norm");
  const HostTensor x(DType::kFloat32, {2, 3, 8});
  const HostTensor channels(DType::kFloat32, {8});
  const auto check = [&](int64_t groups, const std::vector<HostTensor>& inputs) {
    return validate(op, Case{{}, groups}.attributes(), inputs, x.type());
  };
  CHECK_EQ(check(4, {x, channels, channels}), "");
  CHECK_NE(check(3, {x, channels, channels}), "");
  CHECK_NE(check(0, {x, channels, channels}), "");
  CHECK_NE(check(4, {channels, channels, channels}), "");
  CHECK_NE(check(4, {x, HostTensor(), channels}), "");
  CHECK_NE(check(4, {x, channels, HostTensor(DType::kFloat32, {2, 8})}), "");
}

}  // namespace ipai::test
