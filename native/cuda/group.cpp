// Groups of devices of several processes.
#include <memory>

#include "cuda/check.h"
#include "cuda/device.h"
#include "cuda/nccl.h"

namespace ipai {

struct CudaGroup {
  CudaDeviceHandle* device;
  cuda::NcclGroup nccl;
};

}  // namespace ipai

namespace ipai::cuda {
namespace {

CudaStatus join_group(CudaDeviceHandle* device, const CudaGroupId* id, int rank, int size,
                      CudaGroup** result) {
  auto group = std::make_unique<CudaGroup>();
  group->device = device;
  CudaStatus status = check(make_current(*device), "joining a group");
  if (status.ok()) status = NcclGroup::join(*id, rank, size, &group->nccl);
  if (status.ok()) *result = group.release();
  return status;
}

CudaStatus sum_over_group(CudaGroup* group, float* const* arrays, const size_t* counts, size_t array_count) {
  const CudaStatus status = check(make_current(*group->device), "summing");
  return status.ok() ? group->nccl.sum(arrays, counts, array_count, group->device->stream) : status;
}

void leave_group(CudaGroup* group) {
  if (make_current(*group->device) == cudaSuccess) group->nccl.leave();
  delete group;
}

}  // namespace

void add_groups(CudaInterface& interface) {
  interface.nccl_version = nccl_version;
  interface.name_group = nccl_name;
  interface.join_group = join_group;
  interface.sum_over_group = sum_over_group;
  interface.leave_group = leave_group;
}

}  // namespace ipai::cuda
