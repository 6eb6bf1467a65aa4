// binary against float64, over the ways to broadcast.
#include "checks.h"

namespace ipai::test {
namespace {

double apply(const std::string& kind, double a, double b) {
  return kind == "add" ? a + b : kind == "subtract" ? a - b : a * b;
}

// The element of a tensor of `shape` that position `index` of `output` reads.
int64_t source_index(const Shape& shape, const Shape& output, int64_t index) {
  int64_t result = 0;
  int64_t stride = 1;
  for (int axis = output.rank() - 1; axis >= 0; --axis) {
    result += shape[axis] == 1 ? 0 : index % output[axis] * stride;
    stride *= shape[axis];
    index /= output[axis];
  }
  return result;
}

void check(const Target& target, DType dtype, const std::string& kind, const std::vector<int64_t>& a_extents,
           const std::vector<int64_t>& b_extents) {
  INFO(kind, " ", Shape(a_extents).to_string(), " ", Shape(b_extents).to_string());
  const HostTensor a = HostTensor::random(dtype, a_extents, 1);
  const HostTensor b = HostTensor::random(dtype, b_extents, 2);
  std::vector<int64_t> extents;
  for (size_t axis = 0; axis < a_extents.size(); ++axis)
    extents.push_back(std::max(a_extents[axis], b_extents[axis]));
  const Shape shape(extents);
  const HostTensor got = run_every_way(target.op("binary"), {{"kind", kind}}, {a, b}, dtype, extents);
  CHECK_LT(worst_error(got,
                       [&](int64_t i) {
                         return apply(kind, a.at(source_index(a.type().shape, shape, i)),
                                      b.at(source_index(b.type().shape, shape, i)));
                       }),
           1.5e-7);
}

}  // namespace

TEST_CASE("binary: equal shapes, either operand broadcast, both broadcast, scalars") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const std::string kind : {"add", "subtract", "multiply"}) {
      check(target, dtype, kind, {}, {});
      check(target, dtype, kind, {1}, {1});
      check(target, dtype, kind, {1}, {37});
      check(target, dtype, kind, {50001}, {50001});
      check(target, dtype, kind, {50001}, {1});
      check(target, dtype, kind, {2, 5, 7, 33}, {2, 5, 7, 33});
      check(target, dtype, kind, {2, 5, 33}, {1, 1, 33});
      check(target, dtype, kind, {2, 1, 1, 33}, {2, 5, 7, 33});
      check(target, dtype, kind, {4, 1, 6}, {1, 5, 6});
      check(target, dtype, kind, {4, 5, 1}, {1, 1, 6});
      check(target, dtype, kind, {3, 1, 5, 1}, {1, 4, 1, 2});
    }
  });
}

TEST_CASE("binary: random shapes") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    Dice dice(3);
    for (int i = 0; i < 60; ++i) {
      std::vector<int64_t> a, b;
      for (int64_t axis = dice.roll(1, 6); axis > 0; --axis) {
        const int64_t extent = dice.roll(1, 6);
        a.push_back(dice.roll(0, 2) == 0 ? 1 : extent);
        b.push_back(dice.roll(0, 2) == 0 ? 1 : extent);
      }
      check(target, dtype, "subtract", a, b);
    }
  });
}

TEST_CASE("binary: one tensor may be both operands") {
  for (const Target& target : targets()) {
    const HostTensor x = HostTensor::random(DType::kFloat32, {77}, 1);
    const HostTensor got = run(target.op("binary"), {{"kind", "multiply"}}, {x, x}, DType::kFloat32, {77});
    CHECK_LT(worst_error(got, [&](int64_t i) { return x.at(i) * x.at(i); }), 1e-7);
  }
}

TEST_CASE("binary: refuses types that do not fit") {
  const Op& op = targets()[0].op("binary");
  const auto refuses = [&](const HostTensor& a, const HostTensor& b, const HostTensor& output) {
    CHECK_NE(validate(op, {{"kind", "add"}}, {a, b}, output.type()), "");
  };
  const HostTensor x(DType::kFloat32, {2, 3});
  CHECK_EQ(validate(op, {{"kind", "add"}}, {x, HostTensor(DType::kFloat32, {2, 1})}, x.type()), "");
  refuses(x, HostTensor(DType::kFloat32, {2, 2}), x);
  refuses(x, HostTensor(DType::kFloat32, {3}), x);
  refuses(x, HostTensor(DType::kBFloat16, {2, 3}), x);
  refuses(x, x, HostTensor(DType::kFloat32, {2, 1}));
  refuses(HostTensor(DType::kFloat32, {0, 3}), HostTensor(DType::kFloat32, {1, 3}), x);
}

}  // namespace ipai::test
