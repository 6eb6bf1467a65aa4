// One device as the interface's functions see it.
#pragma once

#include <cuda_runtime_api.h>

#include <set>

#include "cuda/recording.h"
#include "cuda/staging.h"

namespace ipai {

struct CudaDeviceHandle {
  int index = 0;
  DeviceTraits traits;
  // All work.
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  cuda::Staging staging;
  // Kernels that have been told how much dynamic shared memory they may be given. One thread records.
  std::set<const void*> large_kernels;
};

struct CudaRecording {
  CudaDeviceHandle* device;
  cuda::Recording recording;
};

struct CudaGraph {
  CudaDeviceHandle* device;
  cudaGraphExec_t graph;
};

}  // namespace ipai

namespace ipai::cuda {

// CUDA's current device is one of each thread.
inline cudaError_t make_current(const CudaDeviceHandle& device) {
  return cudaSetDevice(device.index);
}

void add_device(CudaInterface& interface);
void add_memory(CudaInterface& interface);
void add_launches(CudaInterface& interface);
void add_groups(CudaInterface& interface);

}  // namespace ipai::cuda
