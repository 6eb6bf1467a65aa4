// The ops that gradients are made of, against float64. That they are the gradients of what they belong to is
// shown by test/graph/gradients.test.ts; here it is targets, dtypes, threads, in-place results and larger
// shapes.
#include "activation_reference.h"
#include "checks.h"
#include "rounded_weights.h"

namespace ipai::test {
namespace {

using Values = std::vector<double>;

double at(const Values& values, int64_t index) {
  return values[static_cast<size_t>(index)];
}

}  // namespace

TEST_CASE("reduce_sum: each set of axes, to both dtypes") {
  const std::vector<std::vector<int64_t>> shapes = {{1},          {1000},        {300, 7},
                                                    {3, 70, 300}, {20, 2, 9, 5}, {2, 3, 2, 5, 2, 9}};
  for_each_target_and_dtype([&](const Target& target, DType dtype) {
    for (const auto& extents : shapes) {
      const auto rank = static_cast<int>(extents.size());
      for (int axes = 0; axes < 1 << rank; ++axes) {
        std::vector<int64_t> kept = extents;
        for (int axis = 0; axis < rank; ++axis) {
          if ((axes >> axis & 1) != 0) kept[static_cast<size_t>(axis)] = 1;
        }
        const HostTensor x = HostTensor::random(dtype, extents, 1);
        Values sums(static_cast<size_t>(Shape(kept).size()));
        for (int64_t i = 0; i < Shape(extents).size(); ++i) {
          int64_t rest = i, stride = 1, to = 0;
          for (int axis = rank - 1; axis >= 0; --axis) {
            const int64_t extent = extents[static_cast<size_t>(axis)];
            if (kept[static_cast<size_t>(axis)] != 1) {
              to += rest % extent * stride;
              stride *= extent;
            }
            rest /= extent;
          }
          sums[static_cast<size_t>(to)] += x.at(i);
        }
        for (const DType result : {DType::kFloat32, DType::kBFloat16}) {
          INFO(Shape(extents).to_string(), " to ", Shape(kept).to_string());
          const HostTensor got = run_every_way(
              target.op("reduce_sum"), {{"shape", list_of(kept)}, {"dtype", std::string(dtype_name(result))}},
              {x}, result, kept);
          // Partial sums of n numbers in (-1, 1) are about √n; each of a block's additions rounds one by
          // 2^-24 of it.
          const auto terms = static_cast<double>(Shape(extents).size() / Shape(kept).size());
          CHECK_LT(worst_error(got, [&](int64_t i) { return at(sums, i); }), 1e-6 * (1 + std::sqrt(terms)));
        }
      }
    }
  });
}

TEST_CASE("activation_gradient: every kind, small and large arguments") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const std::string kind : {"silu", "gelu", "quick_gelu"}) {
      for (const int64_t count : {1, 16, 17, 40001}) {
        HostTensor x = HostTensor::random(dtype, {count}, 1);
        for (int64_t i = 0; i < count; ++i) x.set(i, x.at(i) * (i % 3 == 0 ? 20 : 3));
        const HostTensor gradient = HostTensor::random(dtype, {count}, 2);
        const HostTensor input = x.clone();
        const HostTensor got =
            run_every_way(target.op("activation_gradient"), {{"kind", kind}}, {x, gradient}, dtype, {count});
        const auto expected = [&](int64_t i) {
          const double step = 1e-5;
          const double rise = activate(kind, input.at(i) + step) - activate(kind, input.at(i) - step);
          return gradient.at(i) * rise / (2 * step);
        };
        INFO(kind, " of ", count);
        CHECK_LT(worst_error(got, expected), 2e-6);
      }
    }
  });
}

namespace {

// (g - mean(g) - n·mean(g·n)) / deviation over sets of elements, for layer_norm_gradient and
// group_norm_gradient.
Values normalization_gradient(const HostTensor& x, const HostTensor& gradient, const HostTensor& scale,
                              int64_t channels, double epsilon,
                              const std::vector<std::vector<int64_t>>& sets) {
  Values result(static_cast<size_t>(x.type().shape.size()));
  for (const auto& set : sets) {
    const auto count = static_cast<double>(set.size());
    const auto g = [&](int64_t i) {
      return gradient.at(i) * (scale.type().absent ? 1 : scale.at(i % channels));
    };
    double mean = 0, variance = 0, g_mean = 0, slope = 0;
    for (const int64_t i : set) mean += x.at(i) / count;
    for (const int64_t i : set) variance += (x.at(i) - mean) * (x.at(i) - mean) / count;
    const double inverse = 1 / std::sqrt(variance + static_cast<double>(static_cast<float>(epsilon)));
    for (const int64_t i : set) g_mean += g(i) / count;
    for (const int64_t i : set) slope += g(i) * (x.at(i) - mean) * inverse / count;
    for (const int64_t i : set) {
      result[static_cast<size_t>(i)] = (g(i) - g_mean - (x.at(i) - mean) * inverse * slope) * inverse;
    }
  }
  return result;
}

}  // namespace

TEST_CASE("layer_norm_gradient: widths around vectors, with and without scale") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const int64_t channels : {2, 16, 17, 320, 1280}) {
      for (const bool has_scale : {true, false}) {
        const int64_t rows = 40;
        const HostTensor x = HostTensor::random(dtype, {rows, channels}, 1);
        const HostTensor gradient = HostTensor::random(dtype, {rows, channels}, 2);
        const HostTensor scale =
            has_scale ? HostTensor::random(DType::kFloat32, {channels}, 3) : HostTensor();
        std::vector<std::vector<int64_t>> sets(static_cast<size_t>(rows));
        for (int64_t i = 0; i < rows * channels; ++i) sets[static_cast<size_t>(i / channels)].push_back(i);
        const Values expected = normalization_gradient(x, gradient, scale, channels, 1e-3, sets);
        const HostTensor got = run_every_way(target.op("layer_norm_gradient"), {{"epsilon", 1e-3}},
                                             {x, gradient, scale}, dtype, {rows, channels});
        INFO(channels, " channels");
        CHECK_LT(worst_error(got, [&](int64_t i) { return at(expected, i); }), 3e-5);
      }
    }
  });
}

TEST_CASE("group_norm_gradient: chunks of positions, groups around vectors, several samples") {
  struct Case {
    int64_t samples, positions, groups, width;
  };
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const Case& c : {Case{1, 1, 2, 3}, Case{2, 300, 4, 5}, Case{3, 257, 32, 10}, Case{2, 1030, 2, 20}}) {
      const int64_t channels = c.groups * c.width;
      const std::vector<int64_t> extents = {c.samples, c.positions, channels};
      const HostTensor x = HostTensor::random(dtype, extents, 1);
      const HostTensor gradient = HostTensor::random(dtype, extents, 2);
      const HostTensor scale = HostTensor::random(DType::kFloat32, {channels}, 3);
      std::vector<std::vector<int64_t>> sets(static_cast<size_t>(c.samples * c.groups));
      for (int64_t i = 0; i < Shape(extents).size(); ++i) {
        const int64_t set = i / (c.positions * channels) * c.groups + i % channels / c.width;
        sets[static_cast<size_t>(set)].push_back(i);
      }
      const Values expected = normalization_gradient(x, gradient, scale, channels, 1e-3, sets);
      const HostTensor got = run_every_way(target.op("group_norm_gradient"),
                                           {{"groups", static_cast<double>(c.groups)}, {"epsilon", 1e-3}},
                                           {x, gradient, scale}, dtype, extents);
      INFO(Shape(extents).to_string());
      CHECK_LT(worst_error(got, [&](int64_t i) { return at(expected, i); }), 3e-5);
    }
  });
}

TEST_CASE("scatter_rows: sums in float32, indices outside of the rows passed over") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const int64_t samples = 2, count = 50, rows = 7, channels = 300;
    const HostTensor x = HostTensor::random(dtype, {samples, count, channels}, 1);
    HostTensor index(DType::kInt32, {samples, count});
    Dice dice(3);
    Values expected(static_cast<size_t>(samples * rows * channels));
    for (int64_t i = 0; i < samples * count; ++i) {
      const int64_t row = dice.roll(-1, rows);
      index.set(i, static_cast<double>(row));
      for (int64_t c = 0; c < channels && row >= 0 && row < rows; ++c) {
        expected[static_cast<size_t>((i / count * rows + row) * channels + c)] += x.at(i * channels + c);
      }
    }
    const HostTensor got = run_every_way(target.op("scatter_rows"), {{"rows", static_cast<double>(rows)}},
                                         {x, index}, DType::kFloat32, {samples, rows, channels});
    CHECK_LT(worst_error(got, [&](int64_t i) { return at(expected, i); }), 1e-5);
  });
}

namespace {

struct AttentionCase {
  int64_t samples, queries, keys, heads, size;
  bool causal = false;
  bool masked = false;
};

// Gradients of one head, added up by the formulas with whole matrices; and the absolute values of what is
// added.
void add_head(const AttentionCase& c, const HostTensor (&in)[5], const HostTensor& mask, double scale,
              int64_t sample, int64_t head, Values& result, Values& magnitudes) {
  const int64_t channels = c.heads * c.size;
  const auto place = [&](int64_t tokens, int64_t token, int64_t d) {
    return (sample * tokens + token) * channels + head * c.size + d;
  };
  const auto add = [&](int64_t token, int64_t d, double value) {
    const auto at = static_cast<size_t>(place(c.queries + 2 * c.keys, token, d));
    result[at] += value;
    magnitudes[at] += std::fabs(value);
  };
  for (int64_t i = 0; i < c.queries; ++i) {
    Values weights;
    double total = 0, dot = 0;
    for (int64_t j = 0; j < c.keys; ++j) {
      double score = mask.type().absent ? 0 : mask.at(i * c.keys + j);
      for (int64_t d = 0; d < c.size; ++d) {
        score += scale * in[0].at(place(c.queries, i, d)) * in[1].at(place(c.keys, j, d));
      }
      weights.push_back(c.causal && j > i ? 0 : std::exp(score));
      total += weights.back();
    }
    for (int64_t d = 0; d < c.size; ++d) {
      dot += in[3].at(place(c.queries, i, d)) * in[4].at(place(c.queries, i, d));
    }
    for (int64_t j = 0; j < c.keys; ++j) {
      const double weight = at(weights, j) / total;
      double slope = -dot;
      for (int64_t d = 0; d < c.size; ++d) {
        slope += in[4].at(place(c.queries, i, d)) * in[2].at(place(c.keys, j, d));
      }
      for (int64_t d = 0; d < c.size; ++d) {
        add(i, d, scale * weight * slope * in[1].at(place(c.keys, j, d)));
        add(c.queries + j, d, scale * weight * slope * in[0].at(place(c.queries, i, d)));
        add(c.queries + c.keys + j, d, weight * in[4].at(place(c.queries, i, d)));
      }
    }
  }
}

void check_attention_gradient(const Target& target, DType dtype, const AttentionCase& c) {
  const int64_t channels = c.heads * c.size;
  const std::vector<int64_t> of_queries = {c.samples, c.queries, channels},
                             of_keys = {c.samples, c.keys, channels};
  // Any output does: the formula takes it as it is given.
  const HostTensor in[5] = {HostTensor::random(dtype, of_queries, 1), HostTensor::random(dtype, of_keys, 2),
                            HostTensor::random(dtype, of_keys, 3), HostTensor::random(dtype, of_queries, 4),
                            HostTensor::random(dtype, of_queries, 5)};
  const HostTensor mask =
      c.masked ? HostTensor::random(DType::kFloat32, {1, c.queries, c.keys}, 6) : HostTensor();
  const double scale = 1 / std::sqrt(static_cast<double>(c.size));
  const std::vector<int64_t> joined = {c.samples, c.queries + 2 * c.keys, channels};
  Values expected(static_cast<size_t>(Shape(joined).size()));
  Values magnitudes(expected.size());
  for (int64_t sample = 0; sample < c.samples; ++sample) {
    for (int64_t head = 0; head < c.heads; ++head)
      add_head(c, in, mask, scale, sample, head, expected, magnitudes);
  }
  const AttributeMap attributes = {
      {"heads", static_cast<double>(c.heads)}, {"scale", scale}, {"causal", c.causal ? 1.0 : 0.0}};
  const HostTensor got = run_every_way(target.op("attention_gradient"), attributes,
                                       {in[0], in[1], in[2], in[3], in[4], mask}, dtype, joined);
  INFO(c.queries, " queries, ", c.keys, " keys, ", c.heads, " heads of ", c.size);
  CHECK_LT(worst_error(got, expected, magnitudes, weight_rounding(target, dtype)), 2e-5);
}

}  // namespace

TEST_CASE("attention_gradient: tokens around tiles and blocks, head sizes, masks") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    for (const AttentionCase& c :
         {AttentionCase{1, 1, 1, 1, 1}, AttentionCase{2, 15, 33, 2, 40}, AttentionCase{1, 32, 31, 1, 80},
          AttentionCase{1, 470, 77, 2, 24}, AttentionCase{1, 5, 200, 1, 160},
          AttentionCase{1, 1024, 50, 2, 7}, AttentionCase{2, 20, 40, 3, 33},
          AttentionCase{2, 77, 77, 1, 16, true}, AttentionCase{1, 40, 20, 1, 8, false, true}}) {
      check_attention_gradient(target, dtype, c);
    }
  });
}

TEST_CASE("adamw: a step by PyTorch's formulas, in place") {
  for (const Target& target : targets()) {
    for (const int64_t count : {1, 16, 17, 40001}) {
      HostTensor state = HostTensor::random(DType::kFloat32, {3, count}, 1);
      for (int64_t i = 2 * count; i < 3 * count; ++i) state.set(i, state.at(i) * state.at(i));
      const HostTensor gradient = HostTensor::random(DType::kFloat32, {count}, 2);
      HostTensor step(DType::kFloat32, {4});
      const double rate = 0.01, correction1 = 0.271, correction2 = 0.003, factor = 0.5, decay = 0.1,
                   epsilon = 0.1;
      for (const auto& [i, value] : {std::pair{0, rate}, {1, correction1}, {2, correction2}, {3, factor}}) {
        step.set(i, value);
      }
      const HostTensor before = state.clone();
      const HostTensor got =
          run_every_way(target.op("adamw"),
                        {{"beta1", 0.9}, {"beta2", 0.999}, {"epsilon", epsilon}, {"weight_decay", decay}},
                        {state, gradient, step}, DType::kFloat32, {3, count});
      CHECK_LT(worst_error(got,
                           [&](int64_t index) {
                             const int64_t i = index % count;
                             const double g = gradient.at(i) * factor;
                             const double mean = 0.9 * before.at(count + i) + 0.1 * g;
                             const double square = 0.999 * before.at(2 * count + i) + 0.001 * g * g;
                             if (index >= count) return index < 2 * count ? mean : square;
                             const double divisor = std::sqrt(square) / std::sqrt(correction2) + epsilon;
                             return before.at(i) * (1 - rate * decay) - rate / correction1 * mean / divisor;
                           }),
               1e-6);
    }
  }
}

}  // namespace ipai::test
