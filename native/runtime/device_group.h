// CUDA devices of several processes, one of each, that sum what lies in their memory by NCCL.
#pragma once

#include <memory>
#include <vector>

#include "runtime/cuda_device.h"

namespace ipai {

// `join` and what follows is for the thread of the device's executor. A group that is not left stays to the
// end of the process: NCCL waits for the others, which may never come.
class DeviceGroup {
 public:
  // A name for one group, which all its members must be told. Fails with kDeviceUnavailable where there is no
  // NCCL.
  static Result<CudaGroupId> name(const CudaDevice& device);

  explicit DeviceGroup(CudaDevice& device) : device_(device) {}

  CudaDevice& device() { return device_; }
  // Returns when all `size` have come.
  Status join(const CudaGroupId& id, int rank, int size);
  // Replaces float32 buffers of the device by their sums over the group, of equal bits for all.
  Status sum_floats(const std::vector<std::shared_ptr<Buffer>>& buffers);
  // Does nothing where it has not joined.
  void leave();

 private:
  CudaDevice& device_;
  CudaGroup* group_ = nullptr;
};

}  // namespace ipai
