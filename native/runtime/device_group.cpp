#include "runtime/device_group.h"

#include "runtime/cuda_library.h"

namespace ipai {

Result<CudaGroupId> DeviceGroup::name(const CudaDevice& device) {
  CudaGroupId id;
  if (Status status = from_cuda(device.cuda().name_group(&id)); !status.ok()) return status;
  return id;
}

Status DeviceGroup::join(const CudaGroupId& id, int rank, int size) {
  if (group_ != nullptr) return Status::invalid("joinGroup: it has joined already.");
  return from_cuda(device_.cuda().join_group(device_.handle(), &id, rank, size, &group_));
}

Status DeviceGroup::sum_floats(const std::vector<std::shared_ptr<Buffer>>& buffers) {
  if (group_ == nullptr) return Status::invalid("sumOverGroup: it has not joined.");
  std::vector<float*> arrays;
  std::vector<size_t> counts;
  for (const auto& buffer : buffers) {
    if (!buffer->failure().ok()) return buffer->failure();
    arrays.push_back(reinterpret_cast<float*>(buffer->data()));
    counts.push_back(buffer->size() / sizeof(float));
  }
  return from_cuda(device_.cuda().sum_over_group(group_, arrays.data(), counts.data(), arrays.size()));
}

void DeviceGroup::leave() {
  if (group_ != nullptr) device_.cuda().leave_group(group_);
  group_ = nullptr;
}

}  // namespace ipai
