// Means and squared deviations of groups of channels, from rows of channels (a picture's positions, channels
// last).
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// Mean of some numbers, and the sum of their squared differences from it.
struct Moments {
  double mean;
  double squares;
};

// sums[c] += Σ over rows of function(x[row][c], c). `sums` has room for whole vectors.
template <class T, class Function>
void sum_columns(const T* x, int64_t rows, int64_t channels, float* sums, Function function) {
  const int64_t whole = channels / Vec::kLanes * Vec::kLanes;
  const int rest = static_cast<int>(channels - whole);
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4, x += 4 * channels) {
    for (int64_t c = 0; c < whole; c += Vec::kLanes) {
      const Vec low = function(Vec::load(x + c), c) + function(Vec::load(x + channels + c), c);
      const Vec high =
          function(Vec::load(x + 2 * channels + c), c) + function(Vec::load(x + 3 * channels + c), c);
      (Vec::load(sums + c) + (low + high)).store(sums + c);
    }
    for (int r = 0; r < 4 && rest > 0; ++r) {
      const Vec value = function(load_partial(x + r * channels + whole, rest), whole);
      (Vec::load(sums + whole) + value).store(sums + whole);
    }
  }
  for (; row < rows; ++row, x += channels) {
    for (int64_t c = 0; c < whole; c += Vec::kLanes) {
      (Vec::load(sums + c) + function(Vec::load(x + c), c)).store(sums + c);
    }
    if (rest > 0) {
      (Vec::load(sums + whole) + function(load_partial(x + whole, rest), whole)).store(sums + whole);
    }
  }
}

// Moments of `count` equally large sets from theirs (Chan, Golub & LeVeque 1983, eq. 2.1), each of `size`
// numbers.
template <class Means, class Squares>
Moments merge_moments(int64_t count, double size, Means means, Squares squares) {
  Moments result{0, 0};
  for (int64_t i = 0; i < count; ++i) result.mean += means(i);
  result.mean /= static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i) {
    const double difference = means(i) - result.mean;
    result.squares += squares(i) + size * difference * difference;
  }
  return result;
}

// Moments of each group of channels over `rows` rows. `means` and `squares` have room for the channels,
// rounded up to whole vectors.
template <class T>
void group_moments(const T* x, int64_t rows, int64_t channels, int64_t groups, float* means, float* squares,
                   Moments* result) {
  const int64_t padded = (channels + Vec::kLanes - 1) / Vec::kLanes * Vec::kLanes;
  for (int64_t c = 0; c < padded; ++c) means[c] = squares[c] = 0;
  sum_columns(x, rows, channels, means, [](Vec v, int64_t) { return v; });
  for (int64_t c = 0; c < padded; ++c) means[c] /= static_cast<float>(rows);
  sum_columns(x, rows, channels, squares, [&](Vec v, int64_t c) {
    const Vec difference = v - Vec::load(means + c);
    return difference * difference;
  });
  const int64_t width = channels / groups;
  for (int64_t group = 0; group < groups; ++group) {
    const int64_t first = group * width;
    result[group] = merge_moments(
        width, static_cast<double>(rows), [&](int64_t i) { return static_cast<double>(means[first + i]); },
        [&](int64_t i) { return static_cast<double>(squares[first + i]); });
  }
}

}  // namespace ipai::IPAI_TARGET
