// Means and squared deviations of many numbers from those of parts of them.
#pragma once

#include "cuda/reduce.h"

namespace ipai::cuda {

// Moments of `total` numbers: x is their mean, y the sum of their squared differences from it. They come in
// `count` parts, part(i) being the moments of size(i) of them (Chan, Golub & LeVeque 1983, eq. 2.1). A warp's
// lanes share the parts, in an order that `count` alone decides, and all get the result. Sums are of
// differences from the first mean, so that a mean far from 0 costs nothing.
template <class Part, class Size>
__device__ inline float2 merge_moments(int count, float total, Part part, Size size) {
  const float reference = part(0).x;
  float sum = 0;
  for (int i = lane_index(); i < count; i += kWarpSize) sum += size(i) * (part(i).x - reference);
  const float mean = reference + warp_reduce<Sum>(sum) / total;
  float squares = 0;
  for (int i = lane_index(); i < count; i += kWarpSize) {
    const float2 moments = part(i);
    const float difference = moments.x - mean;
    squares += fmaf(size(i) * difference, difference, moments.y);
  }
  return {mean, warp_reduce<Sum>(squares)};
}

}  // namespace ipai::cuda
