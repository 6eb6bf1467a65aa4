// attention against float64 loops.
#include "attention_reference.h"

namespace ipai::test {
namespace {

AttributeMap attributes_of(const AttentionCase& c) {
  return {{"heads", static_cast<double>(c.heads)},
          {"scale", static_cast<double>(c.scale())},
          {"causal", c.causal ? 1.0 : 0.0}};
}

struct Inputs {
  explicit Inputs(const AttentionCase& c)
      : q(c.tokens(c.queries, 1)), k(c.tokens(c.keys, 2)), v(c.tokens(c.keys, 3)) {
    if (!c.mask.empty()) mask = HostTensor::random(DType::kFloat32, c.mask, 4);
  }
  std::vector<HostTensor> list() const { return {q, k, v, mask}; }

  HostTensor q, k, v, mask;
};

void check(const Target& target, const AttentionCase& c, const Inputs& in, double tolerance = 2e-6) {
  INFO("batch ", c.batch, ", queries ", c.queries, ", keys ", c.keys, ", heads ", c.heads, ", size ",
       c.head_size, c.causal ? ", causal" : "", ", mask ", Shape(c.mask).to_string());
  const HostTensor got = run_every_way(target.op("attention"), attributes_of(c), in.list(), c.dtype,
                                       {c.batch, c.queries, c.channels()});
  CHECK_LT(
      worst_error(got, attention_reference(c, in.q, in.k, in.v, in.mask),
                  attention_of_magnitudes(c, in.q, in.k, in.v, in.mask), weight_rounding(target, c.dtype)),
      tolerance);
}

void check_all(const std::vector<AttentionCase>& cases) {
  for_each_target_and_dtype([&](const Target& target, DType dtype) {
    for (AttentionCase c : cases) {
      c.dtype = dtype;
      check(target, c, Inputs(c));
    }
  });
}

}  // namespace

TEST_CASE("attention: sizes of heads, queries and keys, down to one") {
  check_all({{1, 1, 1, 1, 1},
             {1, 1, 70, 2, 40},
             {2, 5, 1, 2, 8},
             {1, 97, 65, 2, 40},
             {2, 33, 77, 3, 64},
             {1, 130, 129, 1, 80},
             {1, 17, 35, 2, 160},
             {1, 20, 40, 1, 512},
             {1, 9, 67, 2, 13}});
}

TEST_CASE("attention: several tiles, blocks of keys that end anywhere, heads of odd size") {
  check_all({{1, 257, 257, 1, 80},
             {1, 300, 130, 1, 40},
             {1, 49, 128, 1, 40},
             {1, 47, 129, 1, 40},
             {1, 65, 81, 1, 512},
             {1, 50, 77, 2, 41},
             {2, 3, 1, 3, 1},
             {2, 3, 2, 3, 1},
             {1, 33, 3, 3, 33}});
}

TEST_CASE("attention: causal, with masks that broadcast over samples and queries") {
  check_all({{2, 77, 77, 2, 16, true},
             {1, 150, 150, 1, 8, true},
             {1, 5, 9, 1, 8, true},
             {1, 9, 5, 1, 8, true},
             {2, 7, 70, 2, 8, false, {2, 7, 70}},
             {2, 7, 70, 2, 8, false, {1, 7, 70}},
             {2, 7, 70, 2, 8, false, {2, 1, 70}},
             {2, 7, 70, 2, 8, false, {1, 1, 70}},
             {2, 100, 100, 1, 8, true, {1, 100, 100}}});
}

TEST_CASE("attention: random shapes") {
  Dice dice(1);
  std::vector<AttentionCase> cases;
  for (int i = 0; i < 40; ++i) {
    AttentionCase c{dice.roll(1, 3), dice.roll(1, 140), dice.roll(1, 140), dice.roll(1, 4), dice.roll(1, 90)};
    c.causal = dice.roll(0, 3) == 0;
    if (dice.roll(0, 2) == 0)
      c.mask = {dice.roll(0, 1) ? c.batch : 1, dice.roll(0, 1) ? c.queries : 1, c.keys};
    cases.push_back(c);
  }
  check_all(cases);
}

TEST_CASE("attention: queries that see no key give zeros, hidden keys count for nothing") {
  const double hidden = -std::numeric_limits<double>::infinity();
  for_each_target_and_dtype([&](const Target& target, DType dtype) {
    AttentionCase c{1, 40, 100, 2, 40, false, {1, 40, 100}, dtype};
    Inputs in(c);
    for (int64_t key = 0; key < 100; ++key) {
      in.mask.set(3 * 100 + key, hidden);
      if (key < 80) in.mask.set(4 * 100 + key, hidden);   // whole blocks first, then visible keys
      if (key >= 20) in.mask.set(5 * 100 + key, hidden);  // the other way round
    }
    check(target, c, in);
  });
}

TEST_CASE("attention: maxima that grow from block to block; scores of 1000 are exact to 6e-5") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    AttentionCase c{1, 40, 150, 1, 16, false, {1, 1, 150}, dtype};
    Inputs in(c);
    for (int64_t key = 0; key < 150; ++key) in.mask.set(key, static_cast<double>(key) - 1000);
    check(target, c, in, 6e-5);
  });
}

TEST_CASE("attention: NaN stays in its query") {
  for (const Target& target : targets()) {
    const AttentionCase c{1, 20, 30, 1, 8};
    Inputs in(c);
    in.q.set(7 * 8 + 3, std::numeric_limits<double>::quiet_NaN());
    const HostTensor got = run(target.op("attention"), attributes_of(c), in.list(), c.dtype, {1, 20, 8});
    for (int64_t i = 0; i < 20 * 8; ++i) CHECK_EQ(std::isnan(got.at(i)), i / 8 == 7);
  }
}

TEST_CASE("attention: NaN stays in its head, also beside an odd last channel") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const AttentionCase c{1, 5, 9, 2, 13, false, {}, dtype};
    Inputs in(c);
    for (HostTensor* x : {&in.q, &in.k, &in.v}) {
      for (int64_t token = 0; token < x->type().shape[1]; ++token) {
        x->set(token * 26 + 13, std::numeric_limits<double>::quiet_NaN());
      }
    }
    const HostTensor got = run(target.op("attention"), attributes_of(c), in.list(), dtype, {1, 5, 26});
    for (int64_t i = 0; i < 5 * 26; ++i) CHECK_EQ(std::isnan(got.at(i)), i % 26 >= 13);
  });
}

TEST_CASE("attention: a query's bits depend neither on other queries nor on other samples") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const AttentionCase c{2, 300, 150, 1, 40, false, {}, dtype};
    const Inputs in(c);
    const Op& op = target.op("attention");
    const HostTensor all = run(op, attributes_of(c), in.list(), dtype, {2, 300, 40});
    const auto part = [](const HostTensor& x, int64_t rows) {  // the last rows of the last sample
      HostTensor result(x.type().dtype, {1, rows, 40});
      std::memcpy(result.data(), x.data() + x.byte_size() - result.byte_size(), result.byte_size());
      return result;
    };
    for (const int64_t rows : {1, 7, 300}) {
      const std::vector<HostTensor> inputs = {part(in.q, rows), part(in.k, 150), part(in.v, 150), in.mask};
      CHECK(run(op, attributes_of(c), inputs, dtype, {1, rows, 40}).has_bits_of(part(all, rows)));
    }
  });
}

TEST_CASE("attention: scales may be negative or 0") {
  for_each_target_and_dtype([](const Target& target, DType dtype) {
    const AttentionCase c{1, 20, 30, 2, 40, true, {}, dtype};
    for (const double sign : {-1.0, 0.0}) {
      Inputs in(c);
      AttributeMap attributes = attributes_of(c);
      attributes["scale"] = sign * static_cast<double>(c.scale());
      const HostTensor got = run(target.op("attention"), attributes, in.list(), dtype, {1, 20, 80});
      for (int64_t i = 0; i < in.q.type().shape.size(); ++i) in.q.set(i, sign * in.q.at(i));
      CHECK_LT(worst_error(got, attention_reference(c, in.q, in.k, in.v),
                           attention_of_magnitudes(c, in.q, in.k, in.v), weight_rounding(target, dtype)),
               2e-6);
    }
  });
}

TEST_CASE("attention: refuses types that do not fit") {
  const Op& op = targets()[0].op("attention");
  const auto refuses = [&](const AttentionCase& c, const std::vector<HostTensor>& inputs,
                           const std::string& words) {
    const std::string error = validate(op, attributes_of(c), inputs, inputs[0].type());
    CHECK_MESSAGE(error.find(words) != std::string::npos, error);
  };
  const auto zeros = [](std::vector<int64_t> extents, DType dtype = DType::kFloat32) {
    return HostTensor(dtype, extents);
  };
  const HostTensor q = zeros({2, 3, 8});
  const HostTensor k = zeros({2, 5, 8});
  const HostTensor none;
  const AttentionCase c{2, 3, 5, 2, 4};
  CHECK_EQ(validate(op, attributes_of(c), {q, k, k, none}, q.type()), "");
  refuses({2, 3, 5, 3, 4}, {q, k, k, none}, "divisible by 3 heads");
  refuses(c, {zeros({2, 8}), k, k, none}, "q: expected");
  refuses(c, {zeros({2, 3, 8}, DType::kFloat16), k, k, none}, "q: expected");
  refuses(c, {q, zeros({1, 5, 8}), k, none}, "k: expected");
  refuses(c, {q, zeros({2, 0, 8}), zeros({2, 0, 8}), none}, "k: expected");
  refuses(c, {q, zeros({2, 5, 8}, DType::kBFloat16), k, none}, "k: expected");
  refuses(c, {q, k, zeros({2, 6, 8}), none}, "v: expected");
  refuses(c, {q, k, k, zeros({2, 2, 5})}, "mask: expected");
  refuses(c, {q, k, k, zeros({2, 3, 5}, DType::kBFloat16)}, "mask: expected");
  CHECK_NE(validate(op, attributes_of(c), {q, k, k, none}, k.type()), "");
}

}  // namespace ipai::test
