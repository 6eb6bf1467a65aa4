// Runs one CUDA op on the emulation, for tests that compare it with the CPU's.
#pragma once

#include <doctest/doctest.h>

#include "op_harness.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
std::vector<Op> all_ops();
}

namespace ipai::test {

// The device that emulated ops are told of: an H100.
inline constexpr DeviceTraits kCudaDevice = {Device::kCuda, 1, 90, 132, 227 * 1024};

// Throws when there is no such op.
const Op& cuda_op(const std::string& name);

// Records the op and runs its launches with threads and blocks in either order, out of place and in place of
// each input that may be, which all must give the same bits. Output memory and scratch are filled with NaNs
// beforehand. Fails the test when the op refuses or a launch goes wrong.
HostTensor run_cuda(const std::string& op_name, const AttributeMap& attributes,
                    const std::vector<HostTensor>& inputs, DType output_dtype,
                    const std::vector<int64_t>& output_extents, const DeviceTraits& device = kCudaDevice);

// The CPU op's result for the same inputs, computed in float32: what run_cuda's should be, before it is
// rounded.
HostTensor run_cpu_in_float32(const std::string& op_name, const AttributeMap& attributes,
                              const std::vector<HostTensor>& inputs,
                              const std::vector<int64_t>& output_extents);

// body(dtype) for each dtype of activations on CUDA.
template <class Body>
void for_each_cuda_dtype(Body body) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    INFO(std::string(dtype_name(dtype)));
    body(dtype);
  }
}

}  // namespace ipai::test
