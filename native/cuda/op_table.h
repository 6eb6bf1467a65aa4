// The library's ops behind the C functions of runtime/cuda_interface.h.
#pragma once

#include "runtime/cuda_interface.h"

namespace ipai::cuda {

// All CUDA ops, in the order in which the interface numbers them.
const std::vector<Op>& op_table();
// Sets the interface's members that concern ops.
void add_ops(CudaInterface& interface);
const void* attributes_of(const void* handle);

}  // namespace ipai::cuda
