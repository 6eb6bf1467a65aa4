#include "runtime/cuda_device.h"

#include <algorithm>

#include "runtime/cuda_library.h"
#include "runtime/cuda_ops.h"
#include "runtime/cuda_runner.h"
#include "runtime/system_memory.h"

namespace ipai {

Result<std::unique_ptr<CudaDevice>> CudaDevice::open(const CudaInterface& cuda, int index) {
  if (Status status = check_cuda_machine(cuda, index); !status.ok()) return status;
  CudaDeviceInfo info;
  CudaDeviceHandle* handle = nullptr;
  Status status = from_cuda(cuda.describe(index, &info));
  if (status.ok()) status = from_cuda(cuda.open(index, &handle));
  if (!status.ok()) {
    // Memory that is not there for a context is a device that cannot be had.
    status.code = ErrorCode::kDeviceUnavailable;
    return status;
  }
  return std::unique_ptr<CudaDevice>(new CudaDevice(cuda, index, handle, info.traits));
}

CudaDevice::CudaDevice(const CudaInterface& cuda, int index, CudaDeviceHandle* handle,
                       const DeviceTraits& traits)
    : ComputeDevice(traits, OpRegistry(cuda_ops(cuda)), std::make_unique<CudaRunner>(cuda, handle, index)),
      cuda_(cuda),
      index_(index),
      handle_(handle) {}

Result<std::shared_ptr<Buffer>> CudaDevice::allocate(size_t bytes) {
  void* address = nullptr;
  const CudaStatus taken = cuda_.allocate(handle_, std::max<size_t>(bytes, 1), &address);
  if (taken.code == static_cast<uint8_t>(ErrorCode::kOutOfMemory))
    return out_of_cuda_memory(cuda_, index_, bytes, "a buffer");
  if (!taken.ok()) return from_cuda(taken);
  const size_t now = count_->bytes.fetch_add(bytes) + bytes;
  size_t peak = count_->peak_bytes.load();
  while (now > peak && !count_->peak_bytes.compare_exchange_weak(peak, now)) {
  }
  const auto release = [cuda = &cuda_, handle = handle_, count = count_, address, bytes] {
    cuda->free(handle, address);
    count->bytes -= bytes;
  };
  return Buffer::on_device(*this, static_cast<std::byte*>(address), bytes, release);
}

Status CudaDevice::copy(Buffer& target, size_t offset, const Buffer& source) {
  std::byte* const to = target.data() + offset;
  if (!holds(target)) return from_cuda(cuda_.download(handle_, to, source.data(), source.size()));
  if (!holds(source)) return from_cuda(cuda_.upload(handle_, to, source.data(), source.size()));
  return from_cuda(cuda_.copy(handle_, to, source.data(), source.size()));
}

Result<CudaDeviceInfo> CudaDevice::info() const {
  CudaDeviceInfo info;
  if (Status status = from_cuda(cuda_.describe(index_, &info)); !status.ok()) return status;
  return info;
}

Result<CudaMachine> CudaDevice::machine() const {
  CudaMachine machine;
  if (Status status = from_cuda(cuda_.machine(&machine)); !status.ok()) return status;
  return machine;
}

Status out_of_cuda_memory(const CudaInterface& cuda, int index, size_t bytes, const std::string& purpose) {
  CudaDeviceInfo info;
  (void)cuda.describe(index, &info);
  return {ErrorCode::kOutOfMemory,
          "out of memory: " + mebibytes(bytes) + " needed for " + purpose +
              " on cuda:" + std::to_string(index) + ", " + mebibytes(info.free_bytes) +
              " available. Try a smaller picture or batch, dtype 'float16', or keepModels: false."};
}

}  // namespace ipai
