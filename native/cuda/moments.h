// Means and squared deviations of many numbers from those of parts of them (Chan, Golub & LeVeque 1983,
// eq. 2.1). Moments are a float2: x is a mean, y the sum of squared differences from it.
#pragma once

#include "cuda/reduce.h"

namespace ipai::cuda {

// Of two sets of `size` numbers each.
__device__ inline float2 merge_pair(float2 a, float2 b, float size) {
  const float difference = b.x - a.x;
  return {fmaf(0.5f, difference, a.x), fmaf(0.5f * size * difference, difference, a.y + b.y)};
}

// Of `total` numbers in rows x columns parts: part(row, column) has the moments of size(row) of them. A
// warp's lanes share the parts, in an order that their count alone decides, and all get the result. Sums are
// of differences from the first mean, so that a mean far from 0 costs nothing.
template <class Part, class Size>
__device__ inline float2 merge_moments(int rows, int columns, float total, Part part, Size size) {
  // Steps from part to part take no division.
  const int row_step = kWarpSize / columns;
  const int column_step = kWarpSize % columns;
  const auto for_each = [&](auto body) {
    int row = lane_index() / columns;
    int column = lane_index() % columns;
    while (row < rows) {
      body(part(row, column), size(row));
      row += row_step;
      column += column_step;
      if (column >= columns) {
        column -= columns;
        ++row;
      }
    }
  };
  const float reference = part(0, 0).x;
  float sum = 0;
  for_each([&](float2 moments, float count) { sum = fmaf(count, moments.x - reference, sum); });
  const float mean = reference + warp_reduce<Sum>(sum) / total;
  float squares = 0;
  for_each([&](float2 moments, float count) {
    const float difference = moments.x - mean;
    squares += fmaf(count * difference, difference, moments.y);
  });
  return {mean, warp_reduce<Sum>(squares)};
}

}  // namespace ipai::cuda
