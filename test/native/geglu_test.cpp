// geglu against float64.
#include "activation_reference.h"
#include "checks.h"

namespace ipai::test {

TEST_CASE("geglu: first half times gelu of the second half of each row") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const auto& [rows, channels] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {5, 16}, {130, 320}, {2, 20000}}) {
      INFO(rows, " rows of ", channels);
      const HostTensor x = HostTensor::random(dtype, {rows, 2 * channels}, 1);
      const HostTensor got = run_every_way(target.op("geglu"), {}, {x}, dtype, {rows, channels});
      CHECK_LT(worst_error(got,
                           [&, width = channels](int64_t i) {
                             const int64_t value = i / width * 2 * width + i % width;
                             return x.at(value) * activate("gelu", x.at(value + width));
                           }),
               1e-6);
    }
  });
}

TEST_CASE("geglu: refuses types that do not fit") {
  const Op& op = targets()[0].op("geglu");
  const HostTensor y(DType::kFloat32, {2, 3});
  CHECK_EQ(validate(op, {}, {HostTensor(DType::kFloat32, {2, 6})}, y.type()), "");
  CHECK_NE(validate(op, {}, {HostTensor(DType::kFloat32, {2, 7})}, y.type()), "");
  CHECK_NE(validate(op, {}, {HostTensor(DType::kFloat32, {2, 8})}, y.type()), "");
  CHECK_NE(validate(op, {}, {HostTensor(DType::kBFloat16, {2, 6})}, y.type()), "");
}

}  // namespace ipai::test
