// decoupled_attention against float64 loops and against attention.
#include "attention_reference.h"

namespace ipai::test {
namespace {

AttributeMap attributes_of(const AttentionCase& c) {
  return {{"heads", static_cast<double>(c.heads)}, {"scale", static_cast<double>(c.scale())}};
}

struct Inputs {
  Inputs(const AttentionCase& c, int64_t image_keys)
      : q(c.tokens(c.queries, 1)),
        k(c.tokens(c.keys, 2)),
        v(c.tokens(c.keys, 3)),
        image_k(c.tokens(image_keys, 4)),
        image_v(c.tokens(image_keys, 5)),
        image_scale(HostTensor::random(DType::kFloat32, {c.batch}, 6)) {}
  std::vector<HostTensor> list() const { return {q, k, v, image_k, image_v, image_scale}; }

  HostTensor q, k, v, image_k, image_v, image_scale;
};

HostTensor attend(const Target& target, const AttentionCase& c, const Inputs& in) {
  return run_every_way(target.op("decoupled_attention"), attributes_of(c), in.list(), c.dtype,
                       {c.batch, c.queries, c.channels()});
}

void check(const Target& target, const AttentionCase& c, int64_t image_keys) {
  INFO("batch ", c.batch, ", queries ", c.queries, ", keys ", c.keys, ", image keys ", image_keys, ", heads ",
       c.heads, ", size ", c.head_size);
  const Inputs in(c, image_keys);
  std::vector<double> expected = attention_reference(c, in.q, in.k, in.v);
  std::vector<double> magnitudes = attention_of_magnitudes(c, in.q, in.k, in.v);
  const std::vector<double> image = attention_reference(c, in.q, in.image_k, in.image_v);
  const std::vector<double> image_magnitudes = attention_of_magnitudes(c, in.q, in.image_k, in.image_v);
  for (size_t i = 0; i < expected.size(); ++i) {
    const double scale = in.image_scale.at(static_cast<int64_t>(i) / (c.queries * c.channels()));
    expected[i] += scale * image[i];
    magnitudes[i] += std::fabs(scale) * image_magnitudes[i];
  }
  CHECK_LT(worst_error(attend(target, c, in), expected, magnitudes, weight_rounding(target, c.dtype)), 3e-6);
}

}  // namespace

TEST_CASE("decoupled_attention: text and image keys have a softmax each") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    check(target, {1, 1, 1, 1, 1, false, {}, dtype}, 1);
    check(target, {2, 100, 77, 2, 40, false, {}, dtype}, 4);
    check(target, {3, 49, 77, 2, 80, false, {}, dtype}, 16);
    check(target, {1, 16, 77, 1, 160, false, {}, dtype}, 257);
    check(target, {1, 270, 77, 1, 41, false, {}, dtype}, 15);
    Dice dice(2);
    for (int i = 0; i < 20; ++i) {
      check(target,
            {dice.roll(1, 3),
             dice.roll(1, 120),
             dice.roll(1, 90),
             dice.roll(1, 3),
             dice.roll(1, 70),
             false,
             {},
             dtype},
            dice.roll(1, 90));
    }
  });
}

TEST_CASE("decoupled_attention: a sample whose image_scale is 0 gets the bits of plain attention") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const AttentionCase c{2, 50, 77, 2, 40, false, {}, dtype};
    Inputs in(c, 4);
    in.image_scale.set(0, 0);
    in.image_scale.set(1, 1);
    const HostTensor got = attend(target, c, in);
    AttributeMap attributes = attributes_of(c);
    attributes["causal"] = 0.0;
    const HostTensor plain = run(target.op("attention"), attributes, {in.q, in.k, in.v, HostTensor()}, dtype,
                                 {2, 50, c.channels()});
    CHECK_EQ(std::memcmp(got.data(), plain.data(), got.byte_size() / 2), 0);
    CHECK_FALSE(got.has_bits_of(plain));
  });
}

TEST_CASE("decoupled_attention: refuses types that do not fit") {
  const Op& op = targets()[0].op("decoupled_attention");
  const AttentionCase c{2, 3, 5, 2, 4};
  const auto refuses = [&](const Inputs& in, const std::string& words) {
    const std::string error = validate(op, attributes_of(c), in.list(), in.q.type());
    CHECK_MESSAGE(error.find(words) != std::string::npos, error);
  };
  const Inputs good(c, 4);
  CHECK_EQ(validate(op, attributes_of(c), good.list(), good.q.type()), "");
  Inputs bad = good;
  bad.image_k = HostTensor(DType::kFloat32, {2, 4, 6});
  refuses(bad, "image_k: expected");
  bad = good;
  bad.image_v = HostTensor(DType::kFloat32, {2, 3, 8});
  refuses(bad, "image_v: expected");
  bad = good;
  bad.image_scale = HostTensor(DType::kFloat32, {1});
  refuses(bad, "image_scale: expected");
  bad = good;
  bad.v = HostTensor(DType::kBFloat16, {2, 5, 8});
  refuses(bad, "v: expected");
}

}  // namespace ipai::test
