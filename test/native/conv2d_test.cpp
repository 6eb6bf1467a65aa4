// pack_conv2d and conv2d against plain loops in float64, on every target that this machine can run.
#include <doctest/doctest.h>

#include "activation_reference.h"
#include "conv_case.h"

namespace ipai::test {
namespace {

struct Case : ConvCase {
  DType dtype = DType::kFloat32;
};

HostTensor run_conv2d(const Target& target, const Case& c, const ConvInputs& in, RunOptions options = {}) {
  const HostTensor packed = run(target.op("pack_conv2d"), c.packing(c.dtype), {in.weight}, c.dtype,
                                c.kernels(), {options.threads, -1});
  return run(target.op("conv2d"), c.attributes(), {in.x, packed, in.bias, in.sample_bias, in.residual},
             c.dtype, c.output(), options);
}

struct Sum {
  double value = 0;
  double magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::fabs(term);
  }
};

Sum window_sum(const Case& c, const ConvInputs& in, int64_t b, int64_t y, int64_t x, int64_t o) {
  Sum sum;
  for (int64_t ky = 0; ky < c.kernel; ++ky) {
    for (int64_t kx = 0; kx < c.kernel; ++kx) {
      const int64_t view_y = y * c.stride + ky - static_cast<int64_t>(c.padding[0]);
      const int64_t view_x = x * c.stride + kx - static_cast<int64_t>(c.padding[1]);
      if (view_y < 0 || view_y >= c.view_height() || view_x < 0 || view_x >= c.view_width()) continue;
      const int64_t source_y = view_y * c.height / c.view_height();
      const int64_t source_x = view_x * c.width / c.view_width();
      for (int64_t i = 0; i < c.channels; ++i) {
        sum.add(in.x.at(((b * c.height + source_y) * c.width + source_x) * c.channels + i) *
                in.weight.at(((o * c.channels + i) * c.kernel + ky) * c.kernel + kx));
      }
    }
  }
  sum.add(in.bias.at(o));
  if (c.sample_bias_rows > 0) sum.add(in.sample_bias.at((c.sample_bias_rows == 1 ? 0 : b) * c.outputs + o));
  return sum;
}

// Share of the terms' magnitudes that rounding may cost. Winograd's algorithm multiplies the error of rounded
// products by 16 in the root mean square (tiles of 2x2: by 2; of 6x6: by 33), and an output of few channels
// among some thousand lies 5 times beyond. Products round by 2^-24; with kernels held as float16, as bfloat16
// models have them, by 2^-13 in the mean.
double rounding_share(const Case& c) {
  if (c.algorithm == "direct") return 2e-7;
  const double gain = c.algorithm == "winograd_2x2_held" ? 2 : c.algorithm == "winograd_6x6_held" ? 33 : 16;
  const bool is_half_held = c.algorithm == "winograd_2x2_held" || c.algorithm == "winograd_4x4_held";
  const bool half = is_half_held && c.dtype == DType::kBFloat16;
  return 5 * gain * std::ldexp(1, half ? -13 : -24);
}

// Largest error over what rounding explains, as in gemm_test.cpp.
double worst_error(const Case& c, const ConvInputs& in, const HostTensor& got) {
  double worst = 0;
  int64_t index = 0;
  for (int64_t b = 0; b < c.batch; ++b) {
    for (int64_t y = 0; y < c.out_height(); ++y) {
      for (int64_t x = 0; x < c.out_width(); ++x) {
        for (int64_t o = 0; o < c.outputs; ++o, ++index) {
          const Sum sum = window_sum(c, in, b, y, x, o);
          double expected = activate(c.activation, sum.value);
          if (c.residual) expected += in.residual.at(index);
          double slack = rounding_share(c) * (2 + sum.magnitude);
          if (c.dtype == DType::kBFloat16) slack += std::ldexp(std::fabs(expected), -8);
          const double error = std::fabs(got.at(index) - expected) / slack;
          if (!(error <= worst)) worst = error;  // NaN is the worst
        }
      }
    }
  }
  return worst;
}

void check(Case c) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    c.dtype = dtype;
    const ConvInputs inputs(c, c.dtype);
    for (const Target& target : targets()) {
      INFO(target.name, " ", c.algorithm, " ", dtype_name(dtype), " x ", inputs.x.type().shape.to_string(),
           " weight ", inputs.weight.type().shape.to_string(), " stride ", c.stride, " view ",
           c.view_height(), "x", c.view_width());
      CHECK_LE(worst_error(c, inputs, run_conv2d(target, c, inputs)), 1.0);
    }
  }
}

void check_winograd(Case c) {
  for (const char* algorithm :
       {"winograd_4x4", "winograd_4x4_held", "winograd_2x2_held", "winograd_6x6_held"}) {
    c.algorithm = algorithm;
    check(c);
  }
}

TEST_CASE("conv2d: 3x3 with every channel count around the vectors' width") {
  for (const int64_t channels : {1, 3, 4, 16, 19}) {
    for (const int64_t outputs : {1, 3, 4, 17, 40}) check({2, 5, 6, channels, outputs, 3, 1, kSame});
  }
}

TEST_CASE("conv2d: depth beyond one block, borders in any of them") {
  check({1, 4, 5, 70, 9, 3, 1, kSame});
  check({1, 3, 3, 200, 33, 3, 1, kSame});
}

TEST_CASE("conv2d: more than one block of rows") {
  check({2, 17, 19, 3, 5, 3, 1, kSame});
}

TEST_CASE("conv2d: 1x1, dense and not") {
  check({2, 3, 5, 7, 33, 1});
  check({2, 3, 5, 7, 33, 1, 2});
  check({1, 3, 5, 7, 4, 1, 1, {1, 0, 0, 2}});
}

TEST_CASE("conv2d: stride 2 with the paddings of UNet and autoencoder") {
  check({2, 8, 6, 5, 6, 3, 2, kSame});
  check({1, 8, 8, 5, 6, 3, 2, {0, 0, 1, 1}});
  check({1, 7, 9, 5, 6, 3, 2, {0, 0, 1, 1}});
}

TEST_CASE("conv2d: patches of 14x14") {
  check({2, 28, 42, 3, 20, 14, 14});
  check({1, 30, 15, 3, 20, 14, 14});
}

TEST_CASE("conv2d: padding wider than the picture") {
  check({1, 1, 2, 3, 4, 3, 1, {4, 0, 1, 5}});
}

TEST_CASE("conv2d: the picture read as if upsampled, to even and odd sizes") {
  check({2, 3, 4, 6, 5, 3, 1, kSame, 6, 8});
  check({1, 3, 4, 6, 5, 3, 1, kSame, 7, 9});
  check({1, 4, 5, 3, 5, 3, 2, {0, 0, 1, 1}, 11, 7});
  check({1, 3, 2, 130, 5, 3, 1, kSame, 5, 5});
  check({1, 3, 2, 5, 5, 1, 1, {0, 0, 0, 0}, 3, 4});
}

TEST_CASE("conv2d: bias of each sample, activation and residual") {
  for (const int64_t sample_bias_rows : {0, 1, 3}) {
    for (const char* activation : {"none", "silu"}) {
      check({3, 3, 5, 6, 21, 3, 1, kSame, 0, 0, activation, sample_bias_rows, true});
      check({3, 3, 5, 6, 21, 1, 1, {0, 0, 0, 0}, 0, 0, activation, sample_bias_rows, false});
    }
  }
}

TEST_CASE("conv2d by Winograd: channels around the vectors' width, outputs that fill tiles and do not") {
  for (const int64_t channels : {1, 16, 19, 40}) {
    for (const int64_t outputs : {1, 17, 40}) {
      check_winograd({2, 5, 6, channels, outputs, 3, 1, kSame});
      check_winograd({1, 8, 4, channels, outputs, 3, 1, kSame});
    }
  }
}

TEST_CASE("conv2d by Winograd: any padding, pictures of one pixel") {
  check_winograd({1, 1, 1, 5, 3, 3, 1, kSame});
  check_winograd({2, 3, 3, 5, 3, 3});
  check_winograd({1, 7, 5, 3, 4, 3, 1, {0, 2, 1, 3}});
  check_winograd({1, 1, 2, 3, 4, 3, 1, {4, 0, 1, 5}});
}

TEST_CASE("conv2d by Winograd: more tiles than a task or a run takes") {
  check_winograd({1, 50, 45, 4, 3, 3, 1, kSame});
  check_winograd({3, 9, 70, 2, 33, 3, 1, kSame});
}

TEST_CASE("conv2d by Winograd: upsampled to twice the size, where products vanish, and to other sizes") {
  check_winograd({2, 3, 4, 6, 5, 3, 1, kSame, 6, 8});
  check_winograd({1, 5, 7, 20, 33, 3, 1, kSame, 10, 14});
  check_winograd({1, 5, 7, 20, 33, 3, 1, kSame, 10, 13});
  check_winograd({1, 3, 4, 6, 5, 3, 1, kSame, 7, 9});
  check_winograd({1, 3, 4, 6, 5, 3, 1, {0, 1, 2, 1}, 6, 8});
  check_winograd({1, 3, 4, 6, 5, 3, 1, {3, 0, 0, 0}, 6, 8});
}

TEST_CASE("conv2d by Winograd: bias of each sample, activation and residual") {
  for (const int64_t sample_bias_rows : {0, 1, 3}) {
    for (const char* activation : {"none", "silu"}) {
      check_winograd({3, 3, 5, 6, 21, 3, 1, kSame, 0, 0, activation, sample_bias_rows, true});
    }
  }
}

TEST_CASE("conv2d: the residual's memory may become the output") {
  Case c{2, 6, 7, 50, 40, 3, 1, kSame};
  c.residual = true;
  for (const char* algorithm :
       {"direct", "winograd_4x4", "winograd_4x4_held", "winograd_2x2_held", "winograd_6x6_held"}) {
    c.algorithm = algorithm;
    for (const Target& target : targets()) {
      const HostTensor apart = run_conv2d(target, c, ConvInputs(c, c.dtype));
      CHECK(run_conv2d(target, c, ConvInputs(c, c.dtype), {2, 4}).has_bits_of(apart));
    }
  }
}

void check_bits(Case c, const char* algorithm) {
  c.algorithm = algorithm;
  const ConvInputs inputs(c, c.dtype);
  for (const Target& target : targets()) {
    const HostTensor alone = run_conv2d(target, c, inputs);
    CHECK(run_conv2d(target, c, inputs, {2, -1}).has_bits_of(alone));
    CHECK(run_conv2d(target, c, inputs, {5, -1}).has_bits_of(alone));

    Case one = c;
    one.batch = 1;
    ConvInputs last(one, one.dtype);
    const int64_t picture = c.height * c.width * c.channels;
    for (int64_t i = 0; i < picture; ++i) last.x.set(i, inputs.x.at(2 * picture + i));
    const HostTensor single = run_conv2d(target, one, last);
    const size_t offset = alone.byte_size() - single.byte_size();
    CHECK_EQ(std::memcmp(alone.data() + offset, single.data(), single.byte_size()), 0);
  }
}

TEST_CASE("conv2d: bits depend neither on threads nor on the rest of the batch") {
  for (const char* algorithm :
       {"direct", "winograd_4x4", "winograd_4x4_held", "winograd_2x2_held", "winograd_6x6_held"})
    check_bits({3, 7, 9, 50, 40, 3, 1, kSame}, algorithm);
  // Channels in several chunks, and fewer tiles in one picture than in a block.
  check_bits({3, 16, 16, 150, 40, 3, 1, kSame}, "winograd_4x4");
}

TEST_CASE("conv2d: refuses what does not fit, with a sentence") {
  const Op& op = targets()[0].op("conv2d");
  const auto f32 = [](const std::vector<int64_t>& extents) { return HostTensor(DType::kFloat32, extents); };
  const Case good{2, 5, 6, 4, 8, 3, 1, kSame};
  const HostTensor x = f32({2, 5, 6, 4}), weight = f32({8, 4, 3, 3});
  const auto refusal = [&](const Case& c, const std::vector<HostTensor>& inputs) {
    return validate(op, c.attributes(), inputs, f32({2, 5, 6, 8}).type());
  };
  CHECK_EQ(refusal(good, {x, weight, f32({8}), f32({2, 8}), f32({2, 5, 6, 8})}), "");
  CHECK_EQ(refusal(good, {f32({2, 5, 6}), weight, {}, {}, {}}),
           "x: expected float32 or bfloat16 [B, H, W, I]; got float32 [2, 5, 6]");
  CHECK_EQ(refusal(good, {f32({2, 5, 0, 4}), weight, {}, {}, {}}),
           "x: expected float32 or bfloat16 [B, H, W, I]; got float32 [2, 5, 0, 4]");
  CHECK_EQ(refusal(good, {f32({2, 5, 6, 9}), weight, {}, {}, {}}),
           "weight: expected packed float32 [O, 9, kh, kw]; got float32 [8, 4, 3, 3]");
  CHECK_EQ(refusal(good, {x, weight, f32({1}), {}, {}}), "bias: expected float32 [8]; got float32 [1]");
  CHECK_EQ(refusal(good, {x, weight, {}, f32({3, 8}), {}}),
           "sample_bias: expected float32 [2, 8]; got float32 [3, 8]");
  CHECK_EQ(refusal(good, {x, weight, {}, {}, f32({2, 5, 6, 4})}),
           "residual: expected float32 [2, 5, 6, 8]; got float32 [2, 5, 6, 4]");
  CHECK_EQ(refusal(good, {x, f32({9, 4, 3, 3}), {}, {}, {}}),
           "output: expected float32 [2, 5, 6, 9]; got float32 [2, 5, 6, 8]");

  Case bad = good;
  bad.stride = 0;
  CHECK_EQ(refusal(bad, {x, weight, {}, {}, {}}), "stride: expected at least 1; got 0");
  bad = good;
  bad.padding = {1, 1};
  CHECK_EQ(refusal(bad, {x, weight, {}, {}, {}}),
           "padding: expected [top, left, bottom, right]; got 2 numbers");
  bad.padding = {1, -1, 1, 1};
  CHECK_EQ(refusal(bad, {x, weight, {}, {}, {}}), "padding: expected no negative numbers; got -1");
  bad = good;
  bad.upsample_height = 8;
  CHECK_EQ(refusal(bad, {x, weight, {}, {}, {}}),
           "upsample_height and upsample_width: expected both or neither to be 0; got 8 and 0");
  bad = good;
  bad.algorithm = "winograd_4x4";
  CHECK_EQ(refusal(bad, {x, f32({8, 4, 1, 3}), {}, {}, {}}),
           "weight: expected a kernel of 3x3 at stride 1, as Winograd's algorithm takes; got float32 [8, 4, "
           "1, 3]");
  bad.stride = 2;
  CHECK_EQ(refusal(bad, {x, weight, {}, {}, {}}),
           "weight: expected a kernel of 3x3 at stride 1, as Winograd's algorithm takes; got float32 [8, 4, "
           "3, 3]");
  CHECK_EQ(refusal(good, {x, f32({8, 4, 8, 8}), {}, {}, {}}),
           "x: expected a picture that, padded, is no smaller than the kernel; got float32 [2, 5, 6, 4]");
}

}  // namespace
}  // namespace ipai::test
