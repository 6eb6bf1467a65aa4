// The ops of training on CUDA against the CPU ops, which test/native/gradient_test.cpp holds to float64.
#include "attention_checks.h"
#include "cuda/attention_plan.h"

namespace ipai::test {
namespace {

void check(const std::string& op, const AttributeMap& attributes, const std::vector<HostTensor>& inputs,
           DType dtype, const std::vector<int64_t>& output, double tolerance) {
  const HostTensor got = run_cuda(op, attributes, inputs, dtype, output);
  const HostTensor expected = run_cpu_in_float32(op, attributes, inputs, output);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance);
}

}  // namespace

TEST_CASE("cuda reduce_sum: each set of axes, to every dtype") {
  const std::vector<std::vector<int64_t>> shapes = {{1}, {1000}, {300, 7}, {3, 70, 300}, {2, 3, 2, 5, 2, 9}};
  for_each_cuda_dtype([&](DType dtype) {
    for (const auto& extents : shapes) {
      const auto rank = static_cast<int>(extents.size());
      const HostTensor x = HostTensor::random(dtype, extents, 1);
      for (int axes = 0; axes < 1 << rank; ++axes) {
        std::vector<int64_t> kept = extents;
        for (int axis = 0; axis < rank; ++axis) {
          if ((axes >> axis & 1) != 0) kept[static_cast<size_t>(axis)] = 1;
        }
        INFO(Shape(extents).to_string(), " to ", Shape(kept).to_string());
        const auto attributes = [&](DType result) {
          return AttributeMap{{"shape", list_of(kept)}, {"dtype", std::string(dtype_name(result))}};
        };
        const HostTensor expected = run_cpu_in_float32("reduce_sum", attributes(DType::kFloat32), {x}, kept);
        // As in the test of the CPU's op.
        const auto terms = static_cast<double>(Shape(extents).size() / Shape(kept).size());
        for (const DType result : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
          const HostTensor got = run_cuda("reduce_sum", attributes(result), {x}, result, kept);
          CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }),
                   1e-6 * (1 + std::sqrt(terms)));
        }
      }
    }
  });
}

TEST_CASE("cuda reduce_sum: few sums of many terms, split among blocks") {
  struct Case {
    std::vector<int64_t> x, y;
  };
  for (const Case& c :
       {Case{{100000}, {1}}, {{9000, 40}, {1, 40}}, {{2, 30000}, {2, 1}}, {{3, 5000, 3}, {3, 1, 3}}}) {
    INFO(Shape(c.x).to_string(), " to ", Shape(c.y).to_string());
    const auto terms = static_cast<double>(Shape(c.x).size() / Shape(c.y).size());
    check("reduce_sum", {{"shape", list_of(c.y)}, {"dtype", std::string("float32")}},
          {HostTensor::random(DType::kBFloat16, c.x, 1)}, DType::kFloat32, c.y,
          1e-6 * (1 + std::sqrt(terms)));
  }
}

TEST_CASE("cuda activation_gradient: every kind, small and large arguments") {
  for_each_cuda_dtype([](DType dtype) {
    for (const std::string kind : {"silu", "gelu", "quick_gelu"}) {
      for (const int64_t count : {1, 8, 17, 5001}) {
        INFO(kind, " of ", count);
        HostTensor x = HostTensor::random(dtype, {count}, 1);
        for (int64_t i = 0; i < count; ++i) x.set(i, x.at(i) * (i % 3 == 0 ? 20 : 3));
        check("activation_gradient", {{"kind", kind}}, {x, HostTensor::random(dtype, {count}, 2)}, dtype,
              {count}, 2e-6);
      }
    }
  });
}

TEST_CASE("cuda layer_norm_gradient: widths around warps, with and without scale") {
  for_each_cuda_dtype([](DType dtype) {
    for (const int64_t channels : {2, 17, 32, 320, 1280}) {
      for (const bool has_scale : {true, false}) {
        INFO(channels, " channels");
        const std::vector<int64_t> extents = {3, 3, channels};
        check("layer_norm_gradient", {{"epsilon", 1e-3}},
              {HostTensor::random(dtype, extents, 1), HostTensor::random(dtype, extents, 2),
               has_scale ? HostTensor::random(DType::kFloat32, {channels}, 3) : HostTensor()},
              dtype, extents, 3e-5);
      }
    }
  });
}

TEST_CASE("cuda group_norm_gradient: groups around blocks, several samples") {
  struct Case {
    int64_t samples, positions, groups, width;
  };
  for_each_cuda_dtype([](DType dtype) {
    for (const Case& c : {Case{1, 1, 2, 3}, Case{2, 300, 4, 5}, Case{3, 257, 32, 10}, Case{1, 2, 1, 600}}) {
      const std::vector<int64_t> extents = {c.samples, c.positions, c.groups * c.width};
      INFO(Shape(extents).to_string());
      check("group_norm_gradient", {{"groups", static_cast<double>(c.groups)}, {"epsilon", 1e-3}},
            {HostTensor::random(dtype, extents, 1), HostTensor::random(dtype, extents, 2),
             HostTensor::random(DType::kFloat32, {extents[2]}, 3)},
            dtype, extents, 3e-5);
    }
  });
}

TEST_CASE("cuda scatter_rows: sums in float32, indices outside of the rows passed over") {
  for_each_cuda_dtype([](DType dtype) {
    const int64_t samples = 2, count = 50, rows = 7, channels = 300;
    HostTensor index(DType::kInt32, {samples, count});
    Dice dice(3);
    for (int64_t i = 0; i < samples * count; ++i) index.set(i, static_cast<double>(dice.roll(-1, rows)));
    const HostTensor x = HostTensor::random(dtype, {samples, count, channels}, 1);
    const AttributeMap attributes = {{"rows", static_cast<double>(rows)}};
    const std::vector<int64_t> output = {samples, rows, channels};
    check("scatter_rows", attributes, {x, index}, DType::kFloat32, output, 1e-6);
  });
}

TEST_CASE("cuda adamw: counts around blocks") {
  for (const int64_t count : {1, 17, 5001}) {
    HostTensor state = HostTensor::random(DType::kFloat32, {3, count}, 1);
    for (int64_t i = 2 * count; i < 3 * count; ++i) state.set(i, state.at(i) * state.at(i));
    HostTensor step(DType::kFloat32, {4});
    for (const auto& [i, value] : {std::pair{0, 0.01}, {1, 0.271}, {2, 0.003}, {3, 0.5}}) step.set(i, value);
    check("adamw", {{"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", 0.1}, {"weight_decay", 0.1}},
          {state, HostTensor::random(DType::kFloat32, {count}, 2), step}, DType::kFloat32, {3, count}, 1e-6);
  }
}

namespace {

struct AttentionCase : AttentionExtents {
  bool causal = false;
  std::vector<int64_t> mask = {};  // extents; empty for none
};

// Of each gradient what it is a sum of, without signs: of values Σ P·|G|, of queries and keys scale · Σ
// |dS|·|K| and scale · Σ |dS|·|Q|, with dS = P ∘ (G·Vᵀ - rowsum(G ∘ O)).
HostTensor gradient_magnitudes(const AttentionCase& c, double scale, const std::vector<HostTensor>& x) {
  const int64_t joined = c.queries + 2 * c.keys;
  HostTensor result(DType::kFloat32, {c.batch, joined, c.channels()});
  std::vector<double> sums(static_cast<size_t>(c.batch * joined * c.channels()));
  for (int64_t sample = 0; sample < c.batch; ++sample) {
    for (int64_t head = 0; head < c.heads; ++head) {
      const auto at = [&](const HostTensor& tensor, int64_t count, int64_t token, int64_t channel) {
        return tensor.at((sample * count + token) * c.channels() + head * c.head_size + channel);
      };
      const auto dot = [&](const HostTensor& a, int64_t a_count, int64_t i, const HostTensor& b,
                           int64_t b_count, int64_t j) {
        double sum = 0;
        for (int64_t d = 0; d < c.head_size; ++d) sum += at(a, a_count, i, d) * at(b, b_count, j, d);
        return sum;
      };
      const auto add = [&](int64_t token, double factor, const HostTensor& tensor, int64_t count,
                           int64_t other) {
        for (int64_t d = 0; d < c.head_size; ++d) {
          const int64_t place = (sample * joined + token) * c.channels() + head * c.head_size + d;
          sums[static_cast<size_t>(place)] += factor * std::fabs(at(tensor, count, other, d));
        }
      };
      for (int64_t i = 0; i < c.queries; ++i) {
        std::vector<double> weights;
        double total = 0;
        for (int64_t j = 0; j < c.keys; ++j) {
          double score = scale * dot(x[0], c.queries, i, x[1], c.keys, j);
          if (!c.mask.empty()) {
            const int64_t of_sample = c.mask[0] == 1 ? 0 : sample, row = c.mask[1] == 1 ? 0 : i;
            score += x[5].at((of_sample * c.mask[1] + row) * c.keys + j);
          }
          weights.push_back(c.causal && j > i ? 0 : std::exp(score));
          total += weights.back();
        }
        const double own = dot(x[3], c.queries, i, x[4], c.queries, i);
        for (int64_t j = 0; j < c.keys; ++j) {
          const double weight = weights[static_cast<size_t>(j)] / total;
          const double slope = scale * weight * std::fabs(dot(x[4], c.queries, i, x[2], c.keys, j) - own);
          add(i, slope, x[1], c.keys, j);
          add(c.queries + j, slope, x[0], c.queries, i);
          add(c.queries + c.keys + j, weight, x[4], c.queries, i);
        }
      }
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) result.set(static_cast<int64_t>(i), sums[i]);
  return result;
}

void check(const AttentionCase& c, DType dtype) {
  INFO(c.queries, " queries, ", c.keys, " keys, ", c.heads, " heads of ", c.head_size);
  const double scale = 1 / std::sqrt(static_cast<double>(c.head_size));
  const AttributeMap attributes = {
      {"heads", static_cast<double>(c.heads)}, {"scale", scale}, {"causal", c.causal ? 1.0 : 0.0}};
  const std::vector<HostTensor> inputs = {
      c.tokens(dtype, c.queries, 1),
      c.tokens(dtype, c.keys, 2),
      c.tokens(dtype, c.keys, 3),
      c.tokens(dtype, c.queries, 4),
      c.tokens(dtype, c.queries, 5),
      c.mask.empty() ? HostTensor() : HostTensor::random(DType::kFloat32, c.mask, 6)};
  const std::vector<int64_t> output = {c.batch, c.queries + 2 * c.keys, c.channels()};
  if (dtype == DType::kFloat32 || !cuda::has_attention_plan(c.head_size)) {
    return check("attention_gradient", attributes, inputs, dtype, output, 2e-5);
  }
  // The tensor cores take P and dS rounded, as attention's weights are.
  const HostTensor got = run_cuda("attention_gradient", attributes, inputs, dtype, output);
  const HostTensor expected = run_cpu_in_float32("attention_gradient", attributes, inputs, output);
  CHECK_LT(error_of_rounding(got, expected, gradient_magnitudes(c, scale, inputs), 5), 1);
}

}  // namespace

TEST_CASE("cuda attention_gradient: tokens around tiles and blocks, head sizes, masks") {
  for_each_cuda_dtype([](DType dtype) {
    check({{1, 1, 1, 1, 1}}, dtype);
    check({{2, 15, 33, 2, 40}}, dtype);
    check({{1, 32, 31, 1, 80}}, dtype);
    check({{1, 130, 77, 2, 24}}, dtype);
    check({{1, 5, 100, 1, 160}}, dtype);
    check({{1, 65, 1, 1, 16}}, dtype);
    check({{2, 1, 65, 3, 32}}, dtype);
    check({{1, 70, 40, 1, 128}}, dtype);
    check({{1, 33, 33, 2, 64}, true}, dtype);
    check({{1, 40, 90, 1, 88}, false, {1, 1, 90}}, dtype);
    check({{2, 77, 77, 1, 12}, true}, dtype);
    check({{1, 40, 20, 1, 8}, false, {1, 40, 20}}, dtype);
    check({{2, 9, 40, 2, 8}, false, {2, 1, 40}}, dtype);
  });
}

TEST_CASE("cuda attention_gradient: queries that see no key give nothing") {
  const double hidden = -std::numeric_limits<double>::infinity();
  HostTensor mask(DType::kFloat32, {1, 3, 5});
  for (int64_t i = 0; i < 15; ++i) mask.set(i, i < 5 ? hidden : 0);
  const AttentionExtents c{1, 3, 5, 1, 8};
  const DType dtype = DType::kFloat32;
  const HostTensor got = run_cuda("attention_gradient", {{"heads", 1.0}, {"scale", 1.0}, {"causal", 0.0}},
                                  {c.tokens(dtype, 3, 1), c.tokens(dtype, 5, 2), c.tokens(dtype, 5, 3),
                                   c.tokens(dtype, 3, 4), c.tokens(dtype, 3, 5), mask},
                                  dtype, {1, 13, 8});
  for (int64_t i = 0; i < 8; ++i) CHECK_EQ(got.at(i), 0);
  for (int64_t i = 8; i < 13 * 8; ++i) CHECK_NE(got.at(i), 0);
}

TEST_CASE("cuda attention_gradient: kernels by shape") {
  const auto check_kernels = [](DType dtype, int64_t head_size, const std::vector<std::string>& kernels) {
    const AttentionExtents c{1, 3, 5, 1, head_size};
    check_launches("attention_gradient", {{"heads", 1.0}, {"scale", 1.0}, {"causal", 0.0}},
                   {c.tokens(dtype, 3, 1), c.tokens(dtype, 5, 2), c.tokens(dtype, 5, 3),
                    c.tokens(dtype, 3, 4), c.tokens(dtype, 3, 5), HostTensor()},
                   {1, 13, head_size}, kCudaDevice, kernels);
  };
  const std::vector<std::string> tiles = {"attention_gradient_query_tiles", "attention_gradient_key_tiles"};
  const std::vector<std::string> lanes = {"attention_gradient_queries", "attention_gradient_keys"};
  check_kernels(DType::kBFloat16, 40, tiles);
  check_kernels(DType::kFloat16, 160, tiles);
  check_kernels(DType::kFloat32, 40, lanes);
  check_kernels(DType::kBFloat16, 48, lanes);
}

TEST_CASE("cuda attention_gradient: says which sizes of heads there are") {
  const HostTensor q(DType::kBFloat16, {1, 2, 161}), joined(DType::kBFloat16, {1, 6, 161});
  CHECK_EQ(validate(cuda_op("attention_gradient"), {{"heads", 1.0}, {"scale", 1.0}, {"causal", 0.0}},
                    {q, q, q, q, q, HostTensor()}, joined.type(), kCudaDevice),
           "q: expected heads of at most 160 channels on CUDA; got bfloat16 [1, 2, 161] with 1 head");
}

}  // namespace ipai::test
