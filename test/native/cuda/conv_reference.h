// What the CPU op makes of a convolution, and what rounding explains of a difference from it.
#pragma once

#include "checks.h"
#include "conv_case.h"
#include "cuda_harness.h"

namespace ipai::test {

inline HostTensor run_cpu(const ConvCase& c, const ConvInputs& in) {
  const HostTensor packed =
      run_cpu_in_float32("pack_conv2d", c.packing(DType::kFloat32), {in.weight}, c.kernels());
  return run_cpu_in_float32("conv2d", c.attributes(), {in.x, packed, in.bias, in.sample_bias, in.residual},
                            c.output());
}

// Sums of terms below 1 round by 2^-24 of what they have come to, in any order.
inline double tolerance(const ConvCase& c) {
  return 3e-7 * (4 + static_cast<double>(c.channels * c.kernel * c.kernel));
}

}  // namespace ipai::test
