// concat and slice undo each other, and slice takes the elements it should.
#include "checks.h"

namespace ipai::test {
namespace {

HostTensor slice(const Target& target, const HostTensor& x, int64_t axis, int64_t start, int64_t length) {
  std::vector<int64_t> extents = extents_of(x.type().shape);
  extents[static_cast<size_t>(axis)] = length;
  const AttributeMap attributes{{"axis", static_cast<double>(axis)},
                                {"start", static_cast<double>(start)},
                                {"length", static_cast<double>(length)}};
  return run_every_way(target.op("slice"), attributes, {x}, x.type().dtype, extents);
}

void check(const Target& target, DType dtype, const std::vector<int64_t>& extents, size_t axis, Dice& dice) {
  INFO("target ", target.name, ", ", Shape(extents).to_string(), " along ", axis);
  const HostTensor x = HostTensor::random(dtype, extents, 1);
  std::vector<HostTensor> parts;
  int64_t start = 0;
  while (start < extents[axis]) {
    const int64_t length = dice.roll(1, extents[axis] - start);
    const HostTensor part = slice(target, x, static_cast<int64_t>(axis), start, length);
    CHECK(slice(target, x.at_odd_address(), static_cast<int64_t>(axis), start, length).has_bits_of(part));
    parts.push_back(parts.size() % 2 == 0 ? part : part.at_odd_address());
    start += length;
  }
  const AttributeMap attributes{{"axis", static_cast<double>(axis)}};
  CHECK(run_every_way(target.op("concat"), attributes, parts, dtype, extents).has_bits_of(x));
}

}  // namespace

TEST_CASE("slice: takes start ... start + length") {
  for (const Target& target : targets()) {
    const HostTensor x = HostTensor::random(DType::kFloat32, {3, 5, 4}, 1);
    const HostTensor got = slice(target, x, 1, 2, 2);
    CHECK_EQ(worst_error(got, [&](int64_t i) { return x.at(i / 8 * 20 + 8 + i % 8); }), 0);
  }
}

TEST_CASE("concat: joins what slice took apart, along every axis") {
  for (const Target& target : targets()) {
    Dice dice(7);
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      check(target, dtype, {1}, 0, dice);
      check(target, dtype, {100000}, 0, dice);
      for (size_t axis = 0; axis < 4; ++axis) check(target, dtype, {2, 9, 11, 13}, axis, dice);
      check(target, dtype, {2, 40000}, 1, dice);
    }
    for (int i = 0; i < 20; ++i) {
      const std::vector<int64_t> extents = {dice.roll(1, 9), dice.roll(1, 9), dice.roll(1, 40)};
      check(target, DType::kFloat32, extents, static_cast<size_t>(dice.roll(0, 2)), dice);
    }
  }
}

TEST_CASE("concat: refuses parts that do not fit") {
  const Op& op = targets()[0].op("concat");
  const HostTensor x(DType::kFloat32, {2, 3});
  const HostTensor y(DType::kFloat32, {2, 6});
  const auto check = [&](double axis, const std::vector<HostTensor>& parts) {
    return validate(op, {{"axis", axis}}, parts, y.type());
  };
  CHECK_EQ(check(1, {x, x}), "");
  CHECK_NE(check(1, {x}), "");
  CHECK_NE(check(0, {x, x}), "");
  CHECK_NE(check(2, {x, x}), "");
  CHECK_NE(check(1, {x, HostTensor(DType::kFloat32, {3, 3})}), "");
  CHECK_NE(check(1, {x, HostTensor(DType::kFloat32, {2, 3, 1})}), "");
  CHECK_NE(check(1, {x, HostTensor(DType::kBFloat16, {2, 3})}), "");
  CHECK_NE(check(1, {y, HostTensor(DType::kFloat32, {2, 0})}), "");
  CHECK_NE(check(1, {}), "");
}

TEST_CASE("slice: refuses parts beyond the axis") {
  const Op& op = targets()[0].op("slice");
  const HostTensor x(DType::kFloat32, {2, 3});
  const auto check = [&](double axis, double start, double length, const std::vector<int64_t>& extents) {
    return validate(op, {{"axis", axis}, {"start", start}, {"length", length}}, {x},
                    HostTensor(DType::kFloat32, extents).type());
  };
  CHECK_EQ(check(1, 1, 2, {2, 2}), "");
  CHECK_NE(check(1, 2, 2, {2, 2}), "");
  CHECK_NE(check(1, 1, 0, {2, 0}), "");
  CHECK_NE(check(2, 0, 1, {2, 3}), "");
  CHECK_NE(check(1, 4294967295.0, 2, {2, 2}), "");
}

}  // namespace ipai::test
