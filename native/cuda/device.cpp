#include "cuda/device.h"

#include <cstdint>
#include <cstring>
#include <memory>

#include "cuda/check.h"

namespace ipai::cuda {
namespace {

CudaStatus machine(CudaMachine* machine) {
  *machine = {};
  CudaStatus status = check(cudaRuntimeGetVersion(&machine->runtime_version), "reading versions");
  if (status.ok()) status = check(cudaDriverGetVersion(&machine->driver_version), "reading versions");
  if (!status.ok()) return status;
  const cudaError_t error = cudaGetDeviceCount(&machine->device_count);
  // No driver, one too old, no device: the figures say so.
  const bool told = error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver;
  if (told) (void)cudaGetLastError();
  return told ? CudaStatus() : check(error, "counting devices");
}

CudaStatus describe(int index, CudaDeviceInfo* info) {
  *info = {};
  cudaDeviceProp properties;
  const std::string doing = "describing device " + std::to_string(index);
  if (CudaStatus status = check(cudaGetDeviceProperties(&properties, index), doing); !status.ok())
    return status;
  std::memcpy(info->name, properties.name, sizeof(info->name) - 1);
  info->traits = {Device::kCuda, 1, properties.major * 10 + properties.minor, properties.multiProcessorCount,
                  properties.sharedMemPerBlockOptin};
  info->total_bytes = properties.totalGlobalMem;
  // Asking for free memory makes a context, which devices of other capabilities cannot always have.
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  cudaError_t error = cudaSetDevice(index);
  if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &total_bytes);
  info->free_bytes = free_bytes;
  return check(error, doing);
}

CudaStatus make_pool(CudaDeviceHandle& device) {
  int supported = 0;
  cudaError_t error = cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, device.index);
  if (error == cudaSuccess && supported == 0) {
    return to_status(ErrorCode::kDeviceUnavailable,
                     "cuda: the driver offers no memory pools on this device (some virtual GPUs have none).");
  }
  cudaMemPoolProps properties = {};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, device.index};
  if (error == cudaSuccess) error = cudaMemPoolCreate(&device.pool, &properties);
  // What is freed stays in the pool until `trim`.
  uint64_t threshold = UINT64_MAX;
  if (error == cudaSuccess)
    error = cudaMemPoolSetAttribute(device.pool, cudaMemPoolAttrReleaseThreshold, &threshold);
  return check(error, "making a memory pool");
}

CudaStatus open(int index, CudaDeviceHandle** result) {
  CudaDeviceInfo info;
  if (CudaStatus status = describe(index, &info); !status.ok()) return status;
  auto device = std::make_unique<CudaDeviceHandle>();
  device->index = index;
  device->traits = info.traits;
  cudaError_t error = make_current(*device);
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking);
  if (CudaStatus status = check(error, "opening device " + std::to_string(index)); !status.ok())
    return status;
  if (CudaStatus status = make_pool(*device); !status.ok()) return status;
  *result = device.release();
  return {};
}

}  // namespace

void add_device(CudaInterface& interface) {
  interface.machine = machine;
  interface.describe = describe;
  interface.open = open;
}

}  // namespace ipai::cuda
