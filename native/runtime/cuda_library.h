// libipai_cuda.so, opened when it is first asked for; and whether this machine can use it.
#pragma once

#include <string>

#include "runtime/cuda_interface.h"
#include "runtime/status.h"

namespace ipai {

// The library stays open. Fails with kDeviceUnavailable when it cannot be opened or is of another version.
Result<const CudaInterface*> open_cuda_library(const std::string& path);

// What is missing for using a device: a driver, a newer one, a device, a newer one. All of it is
// kDeviceUnavailable.
Status check_cuda_machine(const CudaInterface& cuda, int index);

// "12.4" of 12040.
std::string cuda_version_text(int version);
// "2.28.3" of 22803.
std::string nccl_version_text(int version);

// A status of the library's as ours.
Status from_cuda(const CudaStatus& status, const std::string& scope = {});

}  // namespace ipai
