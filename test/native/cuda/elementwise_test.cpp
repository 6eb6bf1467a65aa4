// The elementwise CUDA ops (affine, binary, geglu, fill, cast) against the CPU ops.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

// Against the CPU op in float32; what is left after rounding is that of the last operations.
void check(const std::string& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
           const std::vector<int64_t>& extents, double tolerance) {
  const HostTensor got = run_cuda(op, attributes, inputs, inputs[0].type().dtype, extents);
  const HostTensor expected = run_cpu_in_float32(op, attributes, inputs, extents);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance);
}

void check_binary(DType dtype, const std::string& kind, const std::vector<int64_t>& a,
                  const std::vector<int64_t>& b) {
  INFO(kind, " ", Shape(a).to_string(), " ", Shape(b).to_string());
  std::vector<int64_t> extents;
  for (size_t axis = 0; axis < a.size(); ++axis) extents.push_back(std::max(a[axis], b[axis]));
  check("binary", {{"kind", kind}}, {HostTensor::random(dtype, a, 1), HostTensor::random(dtype, b, 2)},
        extents, 1.5e-7);
}

}  // namespace

TEST_CASE("cuda affine: lengths around vectors and blocks, and beyond the threads of the device") {
  for_each_cuda_dtype([](DType dtype) {
    const AttributeMap attributes{{"scale", 1.75}, {"offset", -0.5}};
    for (const int64_t count : {1, 3, 4, 7, 8, 9, 2047, 2048, 2049}) {
      INFO(count, " elements");
      check("affine", attributes, {HostTensor::random(dtype, {count}, 1)}, {count}, 2.5e-7);
    }
    check("affine", attributes, {HostTensor::random(dtype, {}, 1)}, {}, 2.5e-7);
  });
  const int64_t count = 132 * 2048 * 4 + 3;
  const AttributeMap attributes{{"scale", 2.0}, {"offset", 0.0}};
  check("affine", attributes, {HostTensor::random(DType::kFloat32, {count}, 1)}, {count}, 1e-9);
}

TEST_CASE("cuda binary: equal shapes, either operand broadcast, both broadcast, scalars") {
  for_each_cuda_dtype([](DType dtype) {
    for (const std::string kind : {"add", "subtract", "multiply"}) {
      check_binary(dtype, kind, {}, {});
      check_binary(dtype, kind, {1}, {37});
      check_binary(dtype, kind, {5001}, {5001});
      check_binary(dtype, kind, {5001}, {1});
      check_binary(dtype, kind, {2, 5, 7, 32}, {2, 5, 7, 32});
      check_binary(dtype, kind, {2, 5, 32}, {1, 1, 32});
      check_binary(dtype, kind, {2, 5, 33}, {1, 1, 33});
      check_binary(dtype, kind, {2, 1, 1, 40}, {2, 5, 7, 40});
      check_binary(dtype, kind, {2, 3, 16}, {2, 3, 1});
      check_binary(dtype, kind, {4, 1, 8}, {1, 5, 8});
      check_binary(dtype, kind, {4, 5, 1}, {1, 1, 8});
      check_binary(dtype, kind, {3, 1, 5, 1}, {1, 4, 1, 2});
    }
  });
}

TEST_CASE("cuda binary: random shapes") {
  for_each_cuda_dtype([](DType dtype) {
    Dice dice(3);
    for (int i = 0; i < 60; ++i) {
      std::vector<int64_t> a, b;
      for (int64_t axis = dice.roll(1, 6); axis > 0; --axis) {
        const int64_t extent = axis == 1 && dice.roll(0, 1) ? 8 * dice.roll(1, 3) : dice.roll(1, 6);
        a.push_back(dice.roll(0, 2) == 0 ? 1 : extent);
        b.push_back(dice.roll(0, 2) == 0 ? 1 : extent);
      }
      check_binary(dtype, "subtract", a, b);
    }
  });
}

TEST_CASE("cuda binary: one tensor may be both operands") {
  const HostTensor x = HostTensor::random(DType::kFloat16, {77}, 1);
  check("binary", {{"kind", "multiply"}}, {x, x}, {77}, 1e-7);
}

TEST_CASE("cuda geglu: halves that begin at vectors, and that do not") {
  for_each_cuda_dtype([](DType dtype) {
    for (const auto& [rows, channels] :
         {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {5, 16}, {13, 320}, {2, 1284}}) {
      INFO(rows, " rows of ", channels);
      HostTensor x = HostTensor::random(dtype, {rows, 2 * channels}, 1);
      for (int64_t i = 0; i < rows * 2 * channels; ++i) x.set(i, x.at(i) * (i % 3 == 0 ? 8 : 2));
      check("geglu", {}, {x}, {rows, channels}, 2e-5);
    }
  });
}

TEST_CASE("cuda fill: every element, and none beyond") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t count : {1, 7, 8, 9, 3001}) {
      const AttributeMap attributes{
          {"shape", list_of({count})}, {"value", 0.7}, {"dtype", dtype_name(dtype)}};
      const HostTensor got = run_cuda("fill", attributes, {}, dtype, {count});
      CHECK_LT(worst_error(got, [](int64_t) { return static_cast<double>(0.7f); }), 1e-9);
    }
  });
}

TEST_CASE("cuda cast: between all floats and from int32, as the CPU op") {
  for (const DType from : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt32}) {
    for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      for (const int64_t count : {1, 7, 8, 9, 2051}) {
        INFO(std::string(dtype_name(from)), " to ", std::string(dtype_name(to)), ", ", count);
        HostTensor x = HostTensor::random(from, {count}, 1);
        Dice dice(1);
        for (int64_t i = 0; i < count; ++i) {
          if (from == DType::kInt32) x.set(i, static_cast<double>(dice.roll(-2147483648, 2147483647)));
        }
        const AttributeMap attributes{{"dtype", dtype_name(to)}};
        const HostTensor expected = run(targets().back().op("cast"), attributes, {x}, to, {count});
        CHECK(run_cuda("cast", attributes, {x}, to, {count}).has_bits_of(expected));
      }
    }
  }
}

TEST_CASE("cuda elementwise: float16 is taken, other types are refused in the op's own words") {
  const HostTensor x(DType::kInt32, {4});
  CHECK_EQ(validate(cuda_op("binary"), {{"kind", "add"}}, {x, x}, x.type(), kCudaDevice),
           "a: expected float32, float16 or bfloat16; got int32 [4]");
  CHECK_EQ(validate(cuda_op("affine"), {{"scale", 1.0}, {"offset", 0.0}}, {x}, x.type(), kCudaDevice),
           "x must be float32, float16 or bfloat16, not empty");
  const AttributeMap attributes{{"shape", list_of({4})}, {"value", 1.0}, {"dtype", "int32"}};
  CHECK_EQ(validate(cuda_op("fill"), attributes, {}, x.type(), kCudaDevice),
           "only float32, float16 or bfloat16 can be filled");
}

}  // namespace ipai::test
