// random_normal: Philox's published answers, moments, independence of place, equal bits on every target.
#include "checks.h"

namespace ipai::test {
namespace {

HostTensor noise(const Target& target, const std::vector<int64_t>& extents, double seed,
                 DType dtype = DType::kFloat32, double mean = 0, double std = 1) {
  const AttributeMap attributes{{"shape", list_of(extents)},
                                {"seed", seed},
                                {"mean", mean},
                                {"std", std},
                                {"dtype", dtype_name(dtype)}};
  return run_every_way(target.op("random_normal"), attributes, {}, dtype, extents);
}

struct Words {
  uint32_t word[4];
};

// Philox4x32-10 as its authors write it, for one counter.
Words philox(uint32_t seed, uint64_t counter) {
  uint32_t x[4] = {static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), 0, 0};
  uint32_t key[2] = {seed, 0};
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * x[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * x[2];
    const uint32_t y[4] = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ key[0], static_cast<uint32_t>(p1),
                           static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ key[1], static_cast<uint32_t>(p0)};
    std::copy(y, y + 4, x);
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return {{x[0], x[1], x[2], x[3]}};
}

// Element i of the noise in float64: numbers c, 16 + c, 32 + c, 48 + c of a block of 64 come from one
// counter.
double expected(uint32_t seed, int64_t i) {
  const Words words = philox(seed, static_cast<uint64_t>(i / 64 * 16 + i % 16));
  const int64_t quarter = i % 64 / 16;
  const double uniform = static_cast<double>((words.word[quarter / 2 * 2] >> 8) + 1) * 0x1p-24;
  const double angle =
      static_cast<double>(words.word[quarter / 2 * 2 + 1] >> 8) * 0x1p-24 * 2 * 3.14159265358979323846;
  return std::sqrt(-2 * std::log(uniform)) * (quarter % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace

TEST_CASE("random_normal: the test's own Philox gives the published answer for zeros") {
  const Words words = philox(0, 0);  // Random123's known-answer vectors, philox4x32 10
  CHECK_EQ(words.word[0], 0x6627e8d5u);
  CHECK_EQ(words.word[1], 0xe169c58du);
  CHECK_EQ(words.word[2], 0xbc57ac4cu);
  CHECK_EQ(words.word[3], 0x9b00dbd8u);
}

TEST_CASE("random_normal: Box-Muller of Philox's words, to float32 precision") {
  for (const Target& target : targets()) {
    for (const uint32_t seed : {0u, 1u, 4294967295u}) {
      const HostTensor got = noise(target, {3, 5003}, seed);
      CHECK_LT(worst_error(got, [&](int64_t i) { return expected(seed, i); }), 3e-6);
    }
  }
}

TEST_CASE("random_normal: equal bits on every target, for any length, in every dtype") {
  for (const Target& target : targets()) {
    const HostTensor first = noise(targets()[0], {100000}, 5);
    CHECK(noise(target, {100000}, 5).has_bits_of(first));
    for (const int64_t count : {1, 15, 63, 64, 65}) {
      CHECK_EQ(std::memcmp(noise(target, {count}, 5).data(), first.data(), static_cast<size_t>(count) * 4),
               0);
    }
    for (const DType dtype : {DType::kBFloat16, DType::kFloat16}) {
      const HostTensor rounded = noise(target, {1000}, 5, dtype);
      CHECK_LT(worst_error(rounded, [&](int64_t i) { return first.at(i); }),
               dtype == DType::kFloat16 ? 2e-3 : 1e-9);
    }
  }
}

TEST_CASE("random_normal: mean, deviation, tails and correlation of a million numbers") {
  const HostTensor got = noise(targets().back(), {1000000}, 7, DType::kFloat32, 2, 3);
  double mean = 0, square = 0, product = 0, beyond = 0;
  for (int64_t i = 0; i < 1000000; ++i) {
    const double z = (got.at(i) - 2) / 3;
    mean += z / 1e6;
    square += z * z / 1e6;
    if (i > 0) product += z * (got.at(i - 1) - 2) / 3 / 1e6;
    if (std::fabs(z) > 3) beyond += 1e-6;
  }
  CHECK_LT(std::fabs(mean), 0.004);
  CHECK_LT(std::fabs(square - 1), 0.006);
  CHECK_LT(std::fabs(product), 0.004);
  CHECK_LT(std::fabs(beyond - 0.0027), 0.0002);
}

TEST_CASE("random_normal: refuses shapes and dtypes that do not fit") {
  const Op& op = targets()[0].op("random_normal");
  const auto check = [&](const std::vector<int64_t>& shape, const char* dtype) {
    const AttributeMap attributes{
        {"shape", list_of(shape)}, {"seed", 1.0}, {"mean", 0.0}, {"std", 1.0}, {"dtype", dtype}};
    return validate(op, attributes, {}, HostTensor(DType::kFloat32, {2, 3}).type());
  };
  CHECK_EQ(check({2, 3}, "float32"), "");
  CHECK_NE(check({2, 4}, "float32"), "");
  CHECK_NE(check({2, 0}, "float32"), "");
  CHECK_NE(check({2, -3}, "float32"), "");
  CHECK_NE(check({2, 3}, "int32"), "");
}

}  // namespace ipai::test
