// cast, bit by bit: every 16-bit pattern, and float32 patterns around everything that rounds.
#include "checks.h"

namespace ipai::test {
namespace {

template <class Word>
HostTensor from_words(DType dtype, const std::vector<Word>& words) {
  const HostTensor tensor(dtype, {static_cast<int64_t>(words.size())});
  std::memcpy(tensor.data(), words.data(), tensor.byte_size());
  return tensor;
}

template <class Word>
Word word_at(const HostTensor& tensor, int64_t index) {
  Word word;
  std::memcpy(&word, tensor.data() + static_cast<size_t>(index) * sizeof(Word), sizeof(Word));
  return word;
}

HostTensor cast(const Target& target, const HostTensor& x, DType dtype) {
  return run_every_way(target.op("cast"), {{"dtype", dtype_name(dtype)}}, {x}, dtype,
                       extents_of(x.type().shape));
}

HostTensor every_pattern(DType dtype) {
  std::vector<uint16_t> words;
  for (uint32_t word = 0; word < 0x10000; ++word) words.push_back(static_cast<uint16_t>(word));
  return from_words(dtype, words);
}

// A 16-bit format of `fraction_bits`, rounded to by arithmetic: the neighbours' distance is 2^(exponent -
// bits).
double rounded(double value, int fraction_bits, int smallest_exponent, double largest) {
  if (value == 0 || std::isnan(value) || std::isinf(value)) return value;
  const int exponent = std::max(std::ilogb(value), smallest_exponent);
  const double result =
      std::ldexp(std::nearbyint(std::ldexp(value, fraction_bits - exponent)), exponent - fraction_bits);
  return std::fabs(result) > largest ? std::copysign(std::numeric_limits<double>::infinity(), result)
                                     : result;
}

double rounded_to(DType dtype, double value) {
  return dtype == DType::kFloat16 ? rounded(value, 10, -14, 65504)
                                  : rounded(value, 7, -126, static_cast<double>(0x1.fep127));
}

// Float32 patterns that lie on, half way between and next to those between 16-bit numbers, and all special
// values.
HostTensor float_patterns() {
  std::vector<uint32_t> words;
  for (uint32_t high = 0; high < 0x10000; high += 7) {
    for (const uint32_t low : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x2000u, 0x3000u, 0x7fffu,
                               0x8000u, 0x8001u, 0xffffu}) {
      words.push_back(high << 16 | low);
    }
  }
  for (const uint32_t word :
       {0x33000000u, 0x33000001u, 0x32ffffffu, 0x477fefffu, 0x477ff000u, 0x7f800000u, 0xff800000u,
        0x7f800001u, 0x7fc00000u, 0xffffffffu, 0x7f7fffffu, 0x7f7f7fffu, 0x7f7f8000u}) {
    words.push_back(word);
  }
  return from_words(DType::kFloat32, words);
}

}  // namespace

TEST_CASE("cast: 16-bit floats to float32 and back are exact, for every pattern") {
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
      INFO("target ", target.name, ", ", std::string(dtype_name(dtype)));
      const HostTensor words = every_pattern(dtype);
      const HostTensor wide = cast(target, words, DType::kFloat32);
      const HostTensor back = cast(target, wide, dtype);
      bool exact = true;
      for (int64_t i = 0; i < 0x10000; ++i) {
        const double value = words.at(i);
        exact = exact && (std::isnan(value) ? std::isnan(wide.at(i)) && std::isnan(back.at(i))
                                            : wide.at(i) == value && word_at<uint16_t>(back, i) == i);
      }
      CHECK(exact);
    }
  }
}

TEST_CASE("cast: float32 rounds to nearest even; subnormals, overflow, infinities, NaN") {
  const HostTensor x = float_patterns();
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
      INFO("target ", target.name, ", ", std::string(dtype_name(dtype)));
      const HostTensor got = cast(target, x, dtype);
      int64_t wrong = 0;
      for (int64_t i = 0; i < x.type().shape.size(); ++i) {
        const double want = rounded_to(dtype, x.at(i));
        const bool right = std::isnan(want)
                               ? std::isnan(got.at(i))
                               : got.at(i) == want && std::signbit(got.at(i)) == std::signbit(want);
        wrong += right ? 0 : 1;
      }
      CHECK_EQ(wrong, 0);
    }
  }
}

TEST_CASE("cast: between the 16-bit floats") {
  for (const Target& target : targets()) {
    const HostTensor half = every_pattern(DType::kFloat16);
    const HostTensor got = cast(target, half, DType::kBFloat16);
    int64_t wrong = 0;
    for (int64_t i = 0; i < 0x10000; ++i) {
      const double want = rounded_to(DType::kBFloat16, half.at(i));
      wrong += std::isnan(want) ? !std::isnan(got.at(i)) : got.at(i) != want;
    }
    CHECK_EQ(wrong, 0);
  }
}

TEST_CASE("cast: int32 to float32 rounds as C++ does") {
  for (const Target& target : targets()) {
    std::vector<int32_t> values;
    for (int i = 0; i < 31; ++i) {
      for (const int32_t offset : {-1, 0, 1})
        values.insert(values.end(), {(1 << i) + offset, -(1 << i) - offset});
    }
    values.insert(values.end(), {INT32_MIN, INT32_MAX, 16777217, 16777219, 33554434});
    const HostTensor got = cast(target, from_words(DType::kInt32, values), DType::kFloat32);
    for (size_t i = 0; i < values.size(); ++i) {
      CHECK_EQ(got.at(static_cast<int64_t>(i)), static_cast<double>(static_cast<float>(values[i])));
    }
  }
}

TEST_CASE("cast: sources at odd addresses, any length") {
  for (const Target& target : targets()) {
    for (const DType from : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
      for (const DType to : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
        for (const int64_t count : {1, 5, 16, 33, 20000}) {
          const HostTensor x = HostTensor::random(from, {count}, 1);
          CHECK(cast(target, x.at_odd_address(), to).has_bits_of(cast(target, x, to)));
        }
      }
    }
  }
}

TEST_CASE("cast: refuses types that do not fit") {
  const Op& op = targets()[0].op("cast");
  const HostTensor x(DType::kFloat32, {3});
  CHECK_NE(validate(op, {{"dtype", "int32"}}, {x}, HostTensor(DType::kInt32, {3}).type()), "");
  CHECK_NE(validate(op, {{"dtype", "float32"}}, {HostTensor(DType::kUInt8, {3})}, x.type()), "");
  CHECK_NE(validate(op, {{"dtype", "bfloat16"}}, {x}, x.type()), "");
}

}  // namespace ipai::test
