// Memory of a device, in the order of its stream.
#include "cuda/check.h"
#include "cuda/device.h"

namespace ipai::cuda {
namespace {

CudaStatus allocate(CudaDeviceHandle* device, size_t bytes, void** address) {
  cudaError_t error = make_current(*device);
  if (error == cudaSuccess) error = cudaMallocFromPoolAsync(address, bytes, device->pool, device->stream);
  return check(error, "taking memory");
}

void free(CudaDeviceHandle* device, void* address) {
  // Nothing can be done about a failure; one of the device's comes back from the next call.
  if (make_current(*device) == cudaSuccess) (void)cudaFreeAsync(address, device->stream);
}

CudaStatus trim(CudaDeviceHandle* device) {
  cudaError_t error = make_current(*device);
  // Memory counts as free when the stream has come that far.
  if (error == cudaSuccess) error = cudaStreamSynchronize(device->stream);
  if (error == cudaSuccess) error = cudaMemPoolTrimTo(device->pool, 0);
  return check(error, "giving memory back");
}

CudaStatus upload(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  if (CudaStatus status = check(make_current(*device), "copying to the device"); !status.ok()) return status;
  return device->staging.upload(target, source, bytes, device->stream);
}

CudaStatus download(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  if (CudaStatus status = check(make_current(*device), "copying from the device"); !status.ok())
    return status;
  return device->staging.download(target, source, bytes, device->stream);
}

CudaStatus copy(CudaDeviceHandle* device, void* target, const void* source, size_t bytes) {
  cudaError_t error = make_current(*device);
  if (error == cudaSuccess)
    error = cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToDevice, device->stream);
  return check(error, "copying on the device");
}

CudaStatus synchronize(CudaDeviceHandle* device) {
  cudaError_t error = make_current(*device);
  if (error == cudaSuccess) error = cudaStreamSynchronize(device->stream);
  return check(error, "running kernels");
}

}  // namespace

void add_memory(CudaInterface& interface) {
  interface.allocate = allocate;
  interface.free = free;
  interface.trim = trim;
  interface.upload = upload;
  interface.download = download;
  interface.copy = copy;
  interface.synchronize = synchronize;
}

}  // namespace ipai::cuda
