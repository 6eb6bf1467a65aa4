// A CUDA device on top of libipai_cuda.so.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "runtime/compute_device.h"
#include "runtime/cuda_interface.h"

namespace ipai {

class CudaDevice : public ComputeDevice {
 public:
  // Fails with kDeviceUnavailable, and says what is missing.
  static Result<std::unique_ptr<CudaDevice>> open(const CudaInterface& cuda, int index);

  std::string name() const override { return "cuda:" + std::to_string(index_); }
  Result<std::shared_ptr<Buffer>> allocate(size_t bytes) override;
  DeviceMemoryUsage memory_usage() const override { return {count_->bytes, count_->peak_bytes}; }
  bool holds(const Buffer& buffer) const override { return buffer.device() == this; }
  Status copy(Buffer& target, size_t offset, const Buffer& source) override;

  int index() const { return index_; }
  const CudaInterface& cuda() const { return cuda_; }
  CudaDeviceHandle* handle() const { return handle_; }
  Result<CudaDeviceInfo> info() const;
  Result<CudaMachine> machine() const;

 private:
  // Buffers may outlive the device at the end of the process.
  struct Count {
    std::atomic<size_t> bytes{0};
    std::atomic<size_t> peak_bytes{0};
  };

  CudaDevice(const CudaInterface& cuda, int index, CudaDeviceHandle* handle, const DeviceTraits& traits);

  const CudaInterface& cuda_;
  int index_;
  // The library's for good: it is never closed.
  CudaDeviceHandle* handle_;
  std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

// The error for device memory that could not be had.
Status out_of_cuda_memory(const CudaInterface& cuda, int index, size_t bytes, const std::string& purpose);

}  // namespace ipai
