// broadcast_to: every element comes from the one it repeats.
#include "checks.h"

namespace ipai::test {
namespace {

void check(const Target& target, DType dtype, const std::vector<int64_t>& from,
           const std::vector<int64_t>& to) {
  INFO("target ", target.name, ", ", std::string(dtype_name(dtype)), " ", Shape(from).to_string(), " to ",
       Shape(to).to_string());
  const HostTensor x = HostTensor::random(dtype, from, 1);
  const AttributeMap attributes{{"shape", list_of(to)}};
  const HostTensor got = run_every_way(target.op("broadcast_to"), attributes, {x}, dtype, to);
  const Shape& small = x.type().shape;
  const Shape large(to);
  CHECK_EQ(worst_error(got,
                       [&](int64_t i) {
                         int64_t source = 0;
                         for (int axis = large.rank() - 1; axis >= 0; --axis) {
                           if (small[axis] != 1) source += i % large[axis] * small.size(axis + 1);
                           i /= large[axis];
                         }
                         return x.at(source);
                       }),
           0);
  CHECK(run(target.op("broadcast_to"), attributes, {x.at_odd_address()}, dtype, to).has_bits_of(got));
}

}  // namespace

TEST_CASE("broadcast_to: first, middle and last axes, all, none") {
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kInt32}) {
      check(target, dtype, {1}, {1});
      check(target, dtype, {1}, {70000});
      check(target, dtype, {3, 5}, {3, 5});
      check(target, dtype, {1, 4, 320}, {2, 4, 320});
      check(target, dtype, {2, 1, 1, 33}, {2, 5, 7, 33});
      check(target, dtype, {2, 5, 7, 1}, {2, 5, 7, 33});
      check(target, dtype, {1, 4, 1, 5, 1, 2}, {3, 4, 2, 5, 3, 2});
      check(target, dtype, {1, 1, 1}, {2, 3, 4});
    }
  }
}

TEST_CASE("broadcast_to: refuses other extents than 1 or the shape's") {
  const Op& op = targets()[0].op("broadcast_to");
  const HostTensor y(DType::kFloat32, {2, 3});
  const auto check = [&](const std::vector<int64_t>& from) {
    return validate(op, {{"shape", list_of({2, 3})}}, {HostTensor(DType::kFloat32, from)}, y.type());
  };
  CHECK_EQ(check({1, 3}), "");
  CHECK_NE(check({3}), "");
  CHECK_NE(check({2, 2}), "");
  CHECK_NE(check({0, 3}), "");
}

}  // namespace ipai::test
