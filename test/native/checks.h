// What tests of ops share: targets and dtypes to run, ways to run, numbers to draw, errors to measure.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "op_harness.h"

namespace ipai::test {

// body(target, dtype) for each target and each dtype of activations.
template <class Body>
void for_each_target_and_dtype(Body body) {
  for (const Target& target : targets()) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      INFO("target ", target.name, ", ", std::string(dtype_name(dtype)));
      body(target, dtype);
    }
  }
}

// Numbers for random shapes, equal in each run.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 2 + 1) {}
  // In [low, high].
  int64_t roll(int64_t low, int64_t high) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_;
};

inline std::vector<int64_t> extents_of(const Shape& shape) {
  std::vector<int64_t> extents;
  for (int axis = 0; axis < shape.rank(); ++axis) extents.push_back(shape[axis]);
  return extents;
}

inline AttributeValue list_of(const std::vector<int64_t>& values) {
  return std::vector<double>(values.begin(), values.end());
}

// Runs with one thread, with three, and in place wherever the op allows it: all must give equal bits.
inline HostTensor run_every_way(const Op& op, const AttributeMap& attributes,
                                const std::vector<HostTensor>& inputs, DType dtype,
                                const std::vector<int64_t>& extents) {
  const HostTensor result = run(op, attributes, inputs, dtype, extents);
  CHECK_MESSAGE(run(op, attributes, inputs, dtype, extents, {3, -1}).has_bits_of(result), "three threads");
  for (const int index : op.in_place_inputs) {
    const HostTensor& input = inputs[static_cast<size_t>(index)];
    if (input.type().absent || input.type().shape != result.type().shape || input.type().dtype != dtype)
      continue;
    std::vector<HostTensor> copies = inputs;
    copies[static_cast<size_t>(index)] = input.clone();
    CHECK_MESSAGE(run(op, attributes, copies, dtype, extents, {3, index}).has_bits_of(result),
                  "in place of input ", index);
  }
  return result;
}

// Largest difference from expected(i) that the rounding of the result to its dtype does not explain; infinite
// where only one of the two is NaN.
inline double worst_error(const HostTensor& got, const std::function<double(int64_t)>& expected) {
  const double unit = got.type().dtype == DType::kBFloat16  ? 0x1p-8
                      : got.type().dtype == DType::kFloat16 ? 0x1p-11
                                                            : 0;
  double worst = 0;
  for (int64_t i = 0; i < got.type().shape.size(); ++i) {
    const double want = expected(i);
    const double have = got.at(i);
    if (std::isnan(want) && std::isnan(have)) continue;
    const double error = std::fabs(have - want) - unit * std::fabs(want);
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  return worst;
}

}  // namespace ipai::test
