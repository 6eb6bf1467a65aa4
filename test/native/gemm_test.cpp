// pack_linear and linear against plain loops in float64, on every target that this machine can run.
#include "activation_reference.h"
#include "checks.h"

namespace ipai::test {
namespace {

struct Case {
  int64_t rows, columns, depth;  // columns: rows of the weight
  std::string activation = "none";
  DType dtype = DType::kFloat32;
  DType source = DType::kFloat32;
  bool bias = true;
  bool residual = true;
  // Of the residual and the output where it is not `dtype`.
  bool is_wide = false;

  DType output_dtype() const { return is_wide ? DType::kFloat32 : dtype; }
};

struct Inputs {
  HostTensor x, weight, bias, residual;

  explicit Inputs(const Case& c)
      : x(HostTensor::random(c.dtype, {c.rows, c.depth}, 1)),
        weight(HostTensor::random(c.source, {c.columns, c.depth}, 2)) {
    if (c.bias) bias = HostTensor::random(DType::kFloat32, {c.columns}, 3);
    if (c.residual) residual = HostTensor::random(c.output_dtype(), {c.rows, outputs(c)}, 4);
  }
  static int64_t outputs(const Case& c) { return c.activation == "geglu" ? c.columns / 2 : c.columns; }
};

AttributeMap packing(DType dtype, bool glu, bool transposed) {
  return {{"dtype", dtype_name(dtype)}, {"glu", glu ? 1.0 : 0.0}, {"transposed", transposed ? 1.0 : 0.0}};
}

HostTensor pack(const Target& target, const HostTensor& weight, DType dtype, bool glu, int threads = 1) {
  const TensorType& type = weight.type();
  return run(target.op("pack_linear"), packing(dtype, glu, false), {weight}, dtype,
             {type.shape[0], type.shape[1]}, {threads, -1});
}

HostTensor run_linear(const Target& target, const Case& c, const Inputs& in, RunOptions options = {}) {
  const HostTensor packed = pack(target, in.weight, c.dtype, c.activation == "geglu", options.threads);
  return run(target.op("linear"), {{"activation", c.activation}}, {in.x, packed, in.bias, in.residual},
             c.output_dtype(), {c.rows, Inputs::outputs(c)}, options);
}

// A sum and the sum of its terms' magnitudes, which bounds its rounding error.
struct Sum {
  double value = 0;
  double magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::fabs(term);
  }
};

// The weight is rounded to the compute dtype when it is packed, as the kernel sees it.
double rounded(const HostTensor& weight, int64_t index, DType dtype) {
  if (dtype == DType::kFloat32) return weight.at(index);
  const auto value = static_cast<float>(weight.at(index));
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

Sum dot(const Case& c, const Inputs& in, int64_t row, int64_t column) {
  Sum sum;
  for (int64_t k = 0; k < c.depth; ++k) {
    sum.add(in.x.at(row * c.depth + k) * rounded(in.weight, column * c.depth + k, c.dtype));
  }
  if (c.bias) sum.add(in.bias.at(column));
  return sum;
}

// Largest error over what rounding explains: 2e-7 of the terms' magnitudes and, in bfloat16, half a unit of
// the result.
double worst_error(const Case& c, const Inputs& in, const HostTensor& got) {
  const int64_t outputs = Inputs::outputs(c);
  double worst = 0;
  for (int64_t row = 0; row < c.rows; ++row) {
    for (int64_t n = 0; n < outputs; ++n) {
      const Sum sum = dot(c, in, row, n);
      double expected = activate(c.activation, sum.value);
      double slack = 2e-7 * (2 + sum.magnitude);
      if (c.activation == "geglu") {
        const Sum gate = dot(c, in, row, outputs + n);
        expected = sum.value * activate("gelu", gate.value);
        slack = 2e-7 * (2 + sum.magnitude) * (2 + gate.magnitude);
      }
      if (c.residual) expected += in.residual.at(row * outputs + n);
      if (c.output_dtype() == DType::kBFloat16) slack += std::ldexp(std::fabs(expected), -8);
      const double error = std::fabs(got.at(row * outputs + n) - expected) / slack;
      if (!(error <= worst)) worst = error;  // NaN is the worst
    }
  }
  return worst;
}

void check(const Case& c) {
  const Inputs inputs(c);
  for (const Target& target : targets()) {
    INFO(target.name, " ", c.rows, "x", c.columns, "x", c.depth, " ", c.activation, " ", dtype_name(c.dtype),
         " from ", dtype_name(c.source));
    CHECK_LE(worst_error(c, inputs, run_linear(target, c, inputs)), 1.0);
  }
}

TEST_CASE("linear: sizes below, at and above the tiles and blocks") {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const int64_t rows : {1, 3, 14, 15, 29}) {
      for (const int64_t columns : {1, 4, 16, 33, 71}) {
        for (const int64_t depth : {1, 7, 64}) check({rows, columns, depth, "none", dtype});
      }
    }
    check({5, 40, 384, "none", dtype});
    check({5, 40, 385, "none", dtype});
    check({2, 20, 2000, "none", dtype});
  }
}

TEST_CASE("linear: more than one block of rows and columns") {
  check({300, 1, 5});
  check({1, 900, 5});
  check({240, 420, 3});
  check({120, 200, 400});
}

TEST_CASE("linear: every activation") {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const char* activation : {"none", "silu", "gelu", "quick_gelu", "geglu"}) {
      check({17, 70, 19, activation, dtype});
      check({3, 66, 400, activation, dtype});
    }
  }
}

TEST_CASE("linear: geglu of any width") {
  for (const int64_t outputs : {1, 3, 8, 15, 16, 17, 31, 33, 50}) check({4, 2 * outputs, 9, "geglu"});
}

TEST_CASE("linear: weights from any float") {
  for (const DType source : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    check({5, 37, 21, "none", DType::kFloat32, source});
    check({5, 37, 21, "none", DType::kBFloat16, source});
  }
}

TEST_CASE("pack_linear: the weight may lie at any address, as in a memory-mapped file") {
  for (const Target& target : targets()) {
    for (const DType source : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      const HostTensor weight = HostTensor::random(source, {21, 34}, 2);
      const HostTensor packed = pack(target, weight, DType::kFloat32, false);
      CHECK(pack(target, weight.at_odd_address(), DType::kFloat32, false).has_bits_of(packed));
    }
  }
}

TEST_CASE("pack_linear: a weight that comes transposed packs to the same bits") {
  for (const Target& target : targets()) {
    for (const DType source : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
        for (const bool glu : {false, true}) {
          for (const int64_t rows : {2, 8, 30, 66, 96}) {
            for (const int64_t depth : {1, 2, 33, 512, 1027}) {
              INFO(target.name, " ", rows, "x", depth, " ", dtype_name(source), " to ", dtype_name(dtype));
              const HostTensor weight = HostTensor::random(source, {depth, rows}, 2);
              const HostTensor turned = run(target.op("transpose"), {{"permutation", list_of({1, 0})}},
                                            {weight}, source, {rows, depth});
              const auto pack_transposed = [&](const HostTensor& from, int threads) {
                return run(target.op("pack_linear"), packing(dtype, glu, true), {from}, dtype, {rows, depth},
                           {threads, -1});
              };
              const HostTensor expected = pack(target, turned, dtype, glu);
              CHECK(pack_transposed(weight, 2).has_bits_of(expected));
              CHECK(pack_transposed(weight.at_odd_address(), 1).has_bits_of(expected));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("linear: without bias, without residual") {
  check({9, 35, 12, "silu", DType::kFloat32, DType::kFloat32, false, true});
  check({9, 35, 12, "silu", DType::kFloat32, DType::kFloat32, true, false});
  check({9, 36, 12, "geglu", DType::kFloat32, DType::kFloat32, false, false});
}

TEST_CASE("linear: a float32 residual of bfloat16 products") {
  for (const char* activation : {"none", "gelu", "geglu"}) {
    for (const int64_t columns : {2, 34, 70})
      check({17, columns, 400, activation, DType::kBFloat16, DType::kFloat32, true, true, true});
  }
}

TEST_CASE("linear: the residual's memory may become the output") {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    const Case c{40, 75, 500, "gelu", dtype};
    for (const Target& target : targets()) {
      const HostTensor apart = run_linear(target, c, Inputs(c));
      CHECK(run_linear(target, c, Inputs(c), {2, 3}).has_bits_of(apart));
    }
  }
}

TEST_CASE("linear: bits do not depend on the number of threads") {
  const Case c{150, 330, 800, "silu"};
  for (const Target& target : targets()) {
    const HostTensor alone = run_linear(target, c, Inputs(c));
    for (const int threads : {2, 3, 7})
      CHECK(run_linear(target, c, Inputs(c), {threads, -1}).has_bits_of(alone));
  }
}

TEST_CASE("linear: a row's bits do not depend on the rows beside it") {
  const Case batch{37, 50, 450, "gelu"};
  const Inputs all(batch);
  for (const Target& target : targets()) {
    const HostTensor together = run_linear(target, batch, all);
    for (const int64_t row : {0, 13, 36}) {
      Case one = batch;
      one.rows = 1;
      Inputs alone(one);
      for (int64_t k = 0; k < one.depth; ++k) alone.x.set(k, all.x.at(row * one.depth + k));
      for (int64_t n = 0; n < one.columns; ++n) alone.residual.set(n, all.residual.at(row * one.columns + n));
      const HostTensor single = run_linear(target, one, alone);
      for (int64_t n = 0; n < one.columns; ++n) CHECK_EQ(single.at(n), together.at(row * one.columns + n));
    }
  }
}

TEST_CASE("linear: leading extents are rows") {
  for (const Target& target : targets()) {
    const HostTensor weight = HostTensor::random(DType::kFloat32, {6, 10}, 2);
    const HostTensor packed = pack(target, weight, DType::kFloat32, false);
    const HostTensor flat = HostTensor::random(DType::kFloat32, {12, 10}, 1);
    const HostTensor deep = HostTensor::random(DType::kFloat32, {2, 3, 2, 10}, 1);
    const AttributeMap none = {{"activation", "none"}};
    const auto with = [&](const HostTensor& x, const std::vector<int64_t>& extents) {
      return run(target.op("linear"), none, {x, packed, {}, {}}, DType::kFloat32, extents);
    };
    CHECK(with(deep, {2, 3, 2, 6}).has_bits_of(with(flat, {12, 6})));
    CHECK_EQ(with(HostTensor::random(DType::kFloat32, {10}, 1), {6}).at(5), with(flat, {12, 6}).at(5));
  }
}

TEST_CASE("linear: refuses what does not fit, with a sentence") {
  const Op& op = targets()[0].op("linear");
  const AttributeMap none = {{"activation", "none"}};
  const AttributeMap geglu = {{"activation", "geglu"}};
  const auto f32 = [](const std::vector<int64_t>& extents) { return HostTensor(DType::kFloat32, extents); };
  const auto refusal = [&](const AttributeMap& attributes, const std::vector<HostTensor>& inputs) {
    return validate(op, attributes, inputs, f32({2, 8}).type());
  };
  const HostTensor x = f32({2, 4}), weight = f32({8, 4});
  CHECK_EQ(refusal(none, {x, weight, f32({8}), f32({2, 8})}), "");
  CHECK_EQ(refusal(none, {f32({2, 5}), weight, {}, {}}),
           "weight: expected packed float32 [N, 5]; got float32 [8, 4]");
  CHECK_EQ(refusal(none, {f32({0, 4}), weight, {}, {}}),
           "x: expected float32 or bfloat16 [..., K]; got float32 [0, 4]");
  CHECK_EQ(refusal(none, {HostTensor(DType::kFloat16, {2, 4}), weight, {}, {}}),
           "x: expected float32 or bfloat16 [..., K]; got float16 [2, 4]");
  CHECK_EQ(refusal(none, {HostTensor(DType::kBFloat16, {2, 4}), weight, {}, {}}),
           "weight: expected packed bfloat16 [N, 4]; got float32 [8, 4]");
  CHECK_EQ(refusal(none, {x, weight, f32({7}), {}}), "bias: expected float32 [8]; got float32 [7]");
  CHECK_EQ(refusal(none, {x, weight, {}, f32({8, 2})}),
           "residual: expected float32 [2, 8]; got float32 [8, 2]");
  CHECK_EQ(refusal(none, {x, f32({9, 4}), {}, {}}), "output: expected float32 [2, 9]; got float32 [2, 8]");
  CHECK_EQ(refusal(geglu, {x, f32({9, 4}), {}, {}}),
           "weight: expected an even number of rows, as geglu pairs them; got float32 [9, 4]");
}

TEST_CASE("pack_linear: refuses what does not fit, with a sentence") {
  const Op& op = targets()[0].op("pack_linear");
  const auto refusal = [&](const char* dtype, bool glu, const HostTensor& weight, bool transposed = false) {
    return validate(op, {{"dtype", dtype}, {"glu", glu ? 1.0 : 0.0}, {"transposed", transposed ? 1.0 : 0.0}},
                    {weight}, HostTensor(DType::kFloat32, {3, 4}).type());
  };
  CHECK_EQ(refusal("float32", false, HostTensor(DType::kFloat16, {3, 4})), "");
  CHECK_EQ(refusal("float16", false, HostTensor(DType::kFloat16, {3, 4})),
           "dtype: expected float32 or bfloat16; got float16");
  CHECK_EQ(refusal("float32", true, HostTensor(DType::kFloat32, {3, 4})),
           "weight: expected an even number of rows, as glu pairs them; got float32 [3, 4]");
  CHECK_EQ(refusal("float32", false, HostTensor(DType::kInt32, {3, 4})),
           "weight: expected floats [N, K]; got int32 [3, 4]");
  CHECK_EQ(refusal("float32", false, HostTensor(DType::kFloat32, {3, 0})),
           "weight: expected floats [N, K]; got float32 [3, 0]");
  CHECK_EQ(refusal("float32", false, HostTensor(DType::kFloat32, {4, 3}), true), "");
  CHECK_EQ(refusal("float32", true, HostTensor(DType::kFloat32, {4, 3}), true),
           "weight: expected an even number of rows, as glu pairs them; got float32 [4, 3]");
  CHECK_EQ(refusal("float32", false, HostTensor(DType::kInt32, {4, 3}), true),
           "weight: expected floats [K, N]; got int32 [4, 3]");
}

}  // namespace
}  // namespace ipai::test
