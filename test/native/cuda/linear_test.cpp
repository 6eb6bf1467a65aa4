// pack_linear and linear on CUDA against the CPU ops.
#include "checks.h"
#include "cuda_harness.h"

namespace ipai::test {
namespace {

constexpr DType kDTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16};

struct Case {
  int64_t rows, columns, depth;  // columns: rows of the weight
  std::string activation = "none";
  bool bias = true;
  bool residual = true;
  bool is_wide = false;  // the residual and the output are float32
};

AttributeMap packing(DType dtype, bool glu, bool transposed = false) {
  return {{"dtype", dtype_name(dtype)}, {"glu", glu ? 1.0 : 0.0}, {"transposed", transposed ? 1.0 : 0.0}};
}

// Sums of `depth` terms below 1 round by 2^-24 of what they have come to, in any order; geglu multiplies two.
double tolerance(const Case& c) {
  const auto depth = static_cast<double>(c.depth);
  const double sum = 3e-7 * (4 + depth);
  return c.activation == "geglu" ? sum * (2 + 2 * std::sqrt(depth)) : sum;
}

void check(const Case& c, DType dtype) {
  INFO(dtype_name(dtype), " ", c.rows, "x", c.columns, "x", c.depth, " ", c.activation);
  const bool glu = c.activation == "geglu";
  const std::vector<int64_t> output = {c.rows, glu ? c.columns / 2 : c.columns};
  const HostTensor x = HostTensor::random(dtype, {c.rows, c.depth}, 1);
  const HostTensor weight = HostTensor::random(dtype, {c.columns, c.depth}, 2);
  const HostTensor bias = c.bias ? HostTensor::random(DType::kFloat32, {c.columns}, 3) : HostTensor();
  const DType sum = c.is_wide ? DType::kFloat32 : dtype;
  const HostTensor residual = c.residual ? HostTensor::random(sum, output, 4) : HostTensor();
  const AttributeMap attributes = {{"activation", c.activation}};
  const std::vector<int64_t> weight_extents = {c.columns, c.depth};

  const HostTensor packed = run_cuda("pack_linear", packing(dtype, glu), {weight}, dtype, weight_extents);
  const HostTensor got = run_cuda("linear", attributes, {x, packed, bias, residual}, sum, output);
  const HostTensor cpu_packed =
      run_cpu_in_float32("pack_linear", packing(DType::kFloat32, glu), {weight}, weight_extents);
  const HostTensor expected =
      run_cpu_in_float32("linear", attributes, {x, cpu_packed, bias, residual}, output);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance(c));
}

std::string refusal(const AttributeMap& attributes, const HostTensor& x, const HostTensor& weight) {
  const HostTensor output(x.type().dtype, {x.type().shape[0], weight.type().shape[0]});
  return validate(cuda_op("linear"), attributes, {x, weight, {}, {}}, output.type(), kCudaDevice);
}

}  // namespace

TEST_CASE("cuda linear: sizes around vectors, chunks and tiles") {
  for (const DType dtype : kDTypes) {
    for (const int64_t rows : {1, 2, 65, 77}) {
      for (const int64_t columns : {1, 4, 8, 65, 72}) {
        for (const int64_t depth : {1, 8, 43, 64, 72}) check({rows, columns, depth}, dtype);
      }
    }
  }
}

TEST_CASE("cuda linear: depths that are split, and those that pass through every stage") {
  for (const DType dtype : kDTypes) {
    check({2, 72, 1280}, dtype);
    check({2, 35, 1283, "silu"}, dtype);
    check({16, 64, 700, "gelu", true, false}, dtype);
    check({3, 68, 1000, "geglu"}, dtype);
    check({3, 6, 1000, "geglu"}, dtype);
  }
}

TEST_CASE("cuda linear: every activation, with bias and residual and without") {
  for (const DType dtype : kDTypes) {
    for (const char* activation : {"none", "silu", "gelu", "quick_gelu", "geglu"}) {
      check({5, 80, 40, activation, true, true}, dtype);
      check({5, 80, 40, activation, false, true}, dtype);
      check({5, 70, 40, activation, true, false}, dtype);
      check({5, 70, 40, activation, false, false}, dtype);
    }
  }
}

TEST_CASE("cuda linear: a float32 residual of narrower products, whole and of split depths") {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    for (const int64_t columns : {6, 72, 140}) {
      check({5, columns, 40, "none", true, true, true}, dtype);
      check({16, columns, 1280, "gelu", false, true, true}, dtype);
      check({130, columns, 72, "geglu", true, true, true}, dtype);
    }
  }
}

TEST_CASE("cuda linear: geglu of any width") {
  for (const int64_t outputs : {1, 3, 8, 15, 16, 31, 33, 40}) {
    check({4, 2 * outputs, 9, "geglu"}, DType::kFloat16);
  }
}

TEST_CASE("cuda pack_linear: from any float, rounded to nearest") {
  for (const DType source : kDTypes) {
    for (const DType dtype : kDTypes) {
      const HostTensor weight = HostTensor::random(source, {6, 11}, 2);
      const HostTensor plain = run_cuda("pack_linear", packing(dtype, false), {weight}, dtype, {6, 11});
      const HostTensor paired = run_cuda("pack_linear", packing(dtype, true), {weight}, dtype, {6, 11});
      const double unit = dtype == source             ? 0
                          : dtype == DType::kFloat16  ? 0x1p-12
                          : dtype == DType::kBFloat16 ? 0x1p-9
                                                      : 0;
      for (int64_t row = 0; row < 6; ++row) {
        for (int64_t column = 0; column < 16; ++column) {
          const auto value = [&](int64_t from) { return column < 11 ? weight.at(from * 11 + column) : 0; };
          CHECK_LE(std::fabs(plain.at(row * 16 + column) - value(row)), unit);
          CHECK_LE(std::fabs(paired.at(row * 16 + column) - value(row / 2 + row % 2 * 3)), unit);
        }
      }
    }
  }
}

TEST_CASE("cuda pack_linear: a weight that comes transposed packs to the same bits") {
  for (const DType source : kDTypes) {
    for (const DType dtype : kDTypes) {
      for (const bool glu : {false, true}) {
        for (const int64_t depth : {1, 8, 43}) {
          const HostTensor weight = HostTensor::random(source, {depth, 70}, 2);
          const HostTensor turned =
              run_cuda("transpose", {{"permutation", list_of({1, 0})}}, {weight}, source, {70, depth});
          const HostTensor plain = run_cuda("pack_linear", packing(dtype, glu), {turned}, dtype, {70, depth});
          CHECK(run_cuda("pack_linear", packing(dtype, glu, true), {weight}, dtype, {70, depth})
                    .has_bits_of(plain));
        }
      }
    }
  }
}

TEST_CASE("cuda linear: several tiles of rows and columns") {
  for (const DType dtype : kDTypes) check({130, 140, 20}, dtype);
}

TEST_CASE("cuda linear: weights of another dtype are refused") {
  const AttributeMap plain = {{"activation", "none"}};
  const HostTensor half(DType::kFloat16, {2, 4}), other(DType::kBFloat16, {3, 4});
  CHECK_EQ(refusal(plain, half, other), "weight: expected packed float16 [N, 4]; got bfloat16 [3, 4]");
}

}  // namespace ipai::test
