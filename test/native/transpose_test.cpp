// transpose: every element comes from where the permutation says, for every element size.
#include <numeric>

#include "checks.h"

namespace ipai::test {
namespace {

// Bytes that tell elements apart, whatever the dtype.
HostTensor numbered(DType dtype, const std::vector<int64_t>& extents) {
  const HostTensor tensor(dtype, extents);
  Dice dice(5);
  for (size_t i = 0; i < tensor.byte_size(); ++i)
    tensor.data()[i] = static_cast<std::byte>(dice.roll(0, 255));
  return tensor;
}

void check(const Target& target, DType dtype, const std::vector<int64_t>& extents,
           const std::vector<int64_t>& permutation) {
  INFO("target ", target.name, ", ", std::string(dtype_name(dtype)), " ", Shape(extents).to_string(), " by ",
       Shape(permutation).to_string());
  const HostTensor x = numbered(dtype, extents);
  std::vector<int64_t> permuted;
  for (const int64_t axis : permutation) permuted.push_back(extents[static_cast<size_t>(axis)]);
  const Op& op = target.op("transpose");
  const AttributeMap attributes{{"permutation", list_of(permutation)}};
  const HostTensor got = run_every_way(op, attributes, {x}, dtype, permuted);
  const HostTensor expected(dtype, permuted);
  const Shape shape(permuted);
  for (int64_t i = 0; i < shape.size(); ++i) {
    int64_t rest = i;
    int64_t source = 0;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const int from = static_cast<int>(permutation[static_cast<size_t>(axis)]);
      source += rest % shape[axis] * x.type().shape.size(from + 1);
      rest /= shape[axis];
    }
    const size_t bytes = dtype_size(dtype);
    std::memcpy(expected.data() + static_cast<size_t>(i) * bytes,
                x.data() + static_cast<size_t>(source) * bytes, bytes);
  }
  CHECK(got.has_bits_of(expected));
  CHECK(run(op, attributes, {x.at_odd_address()}, dtype, permuted).has_bits_of(expected));
}

}  // namespace

TEST_CASE("transpose: pictures between layouts, matrices, axes of extent 1, nothing to do") {
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kUInt8, DType::kFloat16, DType::kInt32}) {
      check(target, dtype, {2, 3, 17, 19}, {0, 2, 3, 1});
      check(target, dtype, {2, 17, 19, 3}, {0, 3, 1, 2});
      check(target, dtype, {100, 67}, {1, 0});
      check(target, dtype, {2, 5, 4, 33}, {0, 2, 1, 3});
      check(target, dtype, {1, 5, 1, 3}, {2, 3, 0, 1});
      check(target, dtype, {2, 3, 4}, {0, 1, 2});
      check(target, dtype, {1, 1}, {1, 0});
      check(target, dtype, {7}, {0});
    }
  }
}

TEST_CASE("transpose: matrices around the squares and blocks that are moved at once") {
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kUInt8, DType::kBFloat16, DType::kFloat32}) {
      for (const int64_t rows : {15, 16, 33, 64, 130}) {
        for (const int64_t columns : {31, 32, 48, 129}) check(target, dtype, {rows, columns}, {1, 0});
      }
      check(target, dtype, {3, 40, 36}, {0, 2, 1});
      check(target, dtype, {40, 36, 9}, {1, 0, 2});
      check(target, dtype, {40, 36, 9}, {2, 0, 1});
      check(target, dtype, {9, 40, 36}, {2, 1, 0});
    }
  }
}

TEST_CASE("transpose: random permutations") {
  for (const Target& target : targets()) {
    Dice dice(6);
    for (int i = 0; i < 60; ++i) {
      std::vector<int64_t> extents(static_cast<size_t>(dice.roll(1, 6)));
      for (int64_t& extent : extents) extent = dice.roll(1, 6);
      extents[0] = dice.roll(1, 70);
      std::vector<int64_t> permutation(extents.size());
      std::iota(permutation.begin(), permutation.end(), 0);
      for (size_t k = permutation.size() - 1; k > 0; --k) {
        std::swap(permutation[k], permutation[static_cast<size_t>(dice.roll(0, static_cast<int64_t>(k)))]);
      }
      check(target, DType::kFloat32, extents, permutation);
    }
  }
}

TEST_CASE("transpose: refuses what is no permutation") {
  const Op& op = targets()[0].op("transpose");
  const HostTensor x(DType::kFloat32, {2, 2});
  const auto check = [&](const std::vector<int64_t>& permutation) {
    return validate(op, {{"permutation", list_of(permutation)}}, {x}, x.type());
  };
  CHECK_EQ(check({1, 0}), "");
  CHECK_NE(check({0, 0}), "");
  CHECK_NE(check({0, 2}), "");
  CHECK_NE(check({-1, 0}), "");
  CHECK_NE(check({0}), "");
}

}  // namespace ipai::test
