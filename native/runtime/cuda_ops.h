// The ops of libipai_cuda.so as ops like any other; `record` apart, which the library does itself.
#pragma once

#include <vector>

#include "runtime/cuda_interface.h"

namespace ipai {

// In the order in which the library numbers them.
std::vector<Op> cuda_ops(const CudaInterface& cuda);

}  // namespace ipai
