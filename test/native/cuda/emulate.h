// Runs one kernel of a test on the host.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "emulation/launch.h"
#include "runtime/cuda_encoder.h"

namespace ipai::test {

inline constexpr cuda::emulation::Order kOrders[] = {cuda::emulation::Order::kFirstToLast,
                                                     cuda::emulation::Order::kLastToFirst};

// What went wrong, as a sentence; empty when nothing did.
template <class... Parameters, class... Arguments>
std::string emulate(cuda::emulation::Order order, void (*kernel)(Parameters...), const LaunchShape& shape,
                    Arguments... arguments) {
  CudaEncoder encoder({Device::kCuda});
  encoder.launch("kernel", kernel, shape, arguments...);
  return cuda::emulation::run(encoder.launches(), order).message;
}

}  // namespace ipai::test
