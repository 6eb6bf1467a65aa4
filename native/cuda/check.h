// Results of the CUDA runtime as statuses.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "cuda/status.h"

namespace ipai::cuda {

// Errors of the machine, which no change of ours would mend.
inline bool is_machine_error(cudaError_t error) {
  switch (error) {
    case cudaErrorInsufficientDriver:
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorCudartUnloading:
      return true;
    default:
      return false;
  }
}

// `doing` as in "copying to the device".
inline CudaStatus check(cudaError_t error, const std::string& doing) {
  if (error == cudaSuccess) return {};
  // The error would come back from the next call that looks.
  (void)cudaGetLastError();
  const ErrorCode code = error == cudaErrorMemoryAllocation ? ErrorCode::kOutOfMemory
                         : is_machine_error(error)          ? ErrorCode::kDeviceUnavailable
                                                            : ErrorCode::kInternal;
  return to_status(
      code, "cuda: " + doing + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ").");
}

}  // namespace ipai::cuda
