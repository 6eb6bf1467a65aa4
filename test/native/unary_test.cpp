// unary against the functions in float64.
#include <cmath>
#include <limits>

#include "activation_reference.h"
#include "checks.h"

namespace ipai::test {

TEST_CASE("unary: every kind, lengths around vectors and tasks, small and large arguments") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const std::string kind : {"silu", "gelu", "quick_gelu"}) {
      for (const int64_t count : {1, 3, 4, 15, 16, 17, 100, 16384, 40001}) {
        INFO(kind, " of ", count);
        HostTensor x = HostTensor::random(dtype, {count}, 1);
        for (int64_t i = 0; i < count; ++i) x.set(i, x.at(i) * (i % 3 == 0 ? 20 : 3));
        const HostTensor input = x.clone();
        const HostTensor got = run_every_way(target.op("unary"), {{"kind", kind}}, {x}, dtype, {count});
        CHECK_LT(worst_error(got, [&](int64_t i) { return activate(kind, input.at(i)); }), 2e-6);
      }
    }
  });
}

TEST_CASE("unary: exponentials, logarithms and roots of positive numbers") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const std::string kind : {"exp", "log", "rsqrt"}) {
      for (const int64_t count : {1, 15, 16, 17, 1000}) {
        INFO(kind, " of ", count);
        HostTensor x = HostTensor::random(dtype, {count}, 1);
        for (int64_t i = 0; i < count; ++i) x.set(i, std::abs(x.at(i)) + 0.25);
        const HostTensor input = x.clone();
        const HostTensor got = run_every_way(target.op("unary"), {{"kind", kind}}, {x}, dtype, {count});
        CHECK_LT(worst_error(got, [&](int64_t i) { return activate(kind, input.at(i)); }), 2e-6);
      }
    }
  });
}

TEST_CASE("unary: an exponential that is too large is infinite, the logarithm of a negative number NaN") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    HostTensor x(dtype, {1});
    x.set(0, 100);
    const HostTensor large = run_every_way(target.op("unary"), {{"kind", "exp"}}, {x}, dtype, {1});
    CHECK_EQ(large.at(0), std::numeric_limits<double>::infinity());
    x.set(0, -1);
    CHECK(std::isnan(run_every_way(target.op("unary"), {{"kind", "log"}}, {x}, dtype, {1}).at(0)));
  });
}

TEST_CASE("unary: refuses types that do not fit") {
  const Op& op = targets()[0].op("unary");
  const HostTensor x(DType::kFloat32, {2, 3});
  CHECK_EQ(validate(op, {{"kind", "gelu"}}, {x}, x.type()), "");
  CHECK_NE(validate(op, {{"kind", "gelu"}}, {HostTensor(DType::kFloat16, {2, 3})}, x.type()), "");
  CHECK_NE(validate(op, {{"kind", "gelu"}}, {HostTensor(DType::kFloat32, {2, 0})}, x.type()), "");
  CHECK_NE(validate(op, {{"kind", "gelu"}}, {x}, HostTensor(DType::kFloat32, {3, 2}).type()), "");
}

}  // namespace ipai::test
