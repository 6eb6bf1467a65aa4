// upsample_nearest: every pixel comes from floor(i·H / height), floor(j·W / width).
#include "checks.h"

namespace ipai::test {
namespace {

void check(const Target& target, DType dtype, const std::vector<int64_t>& from, int64_t height,
           int64_t width) {
  INFO(Shape(from).to_string(), " to ", height, " x ", width);
  const HostTensor x = HostTensor::random(dtype, from, 1);
  const AttributeMap attributes{{"height", static_cast<double>(height)},
                                {"width", static_cast<double>(width)}};
  const HostTensor got =
      run_every_way(target.op("upsample_nearest"), attributes, {x}, dtype, {from[0], height, width, from[3]});
  CHECK_EQ(worst_error(got,
                       [&](int64_t i) {
                         const int64_t channel = i % from[3];
                         const int64_t column = i / from[3] % width * from[2] / width;
                         const int64_t row = i / from[3] / width % height * from[1] / height;
                         const int64_t sample = i / from[3] / width / height;
                         return x.at(((sample * from[1] + row) * from[2] + column) * from[3] + channel);
                       }),
           0);
}

}  // namespace

TEST_CASE("upsample_nearest: doubled, uneven, one pixel, smaller") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    check(target, dtype, {2, 4, 6, 5}, 8, 12);
    check(target, dtype, {1, 5, 3, 33}, 9, 7);
    check(target, dtype, {2, 1, 1, 8}, 3, 4);
    check(target, dtype, {1, 7, 5, 3}, 3, 2);
  });
}

TEST_CASE("upsample_nearest: refuses types that do not fit") {
  const Op& op = targets()[0].op("upsample_nearest");
  const HostTensor y(DType::kFloat32, {1, 4, 4, 3});
  const auto check = [&](const HostTensor& x, double height) {
    return validate(op, {{"height", height}, {"width", 4.0}}, {x}, y.type());
  };
  CHECK_EQ(check(HostTensor(DType::kFloat32, {1, 2, 2, 3}), 4), "");
  CHECK_NE(check(HostTensor(DType::kFloat32, {1, 2, 2, 3}), 0), "");
  CHECK_NE(check(HostTensor(DType::kFloat32, {1, 2, 2, 3}), 5), "");
  CHECK_NE(check(HostTensor(DType::kFloat32, {2, 2, 3}), 4), "");
  CHECK_NE(check(HostTensor(DType::kFloat32, {1, 0, 2, 3}), 4), "");
}

}  // namespace ipai::test
