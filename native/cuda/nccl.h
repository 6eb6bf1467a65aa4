// NCCL, NVIDIA's library of sums between GPUs, found when it is used: where it is not, nothing misses it.
#pragma once

#include <cstddef>

#include "cuda/status.h"

namespace ipai::cuda {

// As NCCL writes it, 22803 for 2.28.3; 0 where `libnccl.so.2` is not found.
int nccl_version();

// A name for one group that is to be, which all its members are told.
CudaStatus nccl_name(CudaGroupId* id);

// This process's place in a group of devices, one of each process: "communicator" in NCCL's words.
class NcclGroup {
 public:
  // Joins with the thread's current device, once all others have come.
  static CudaStatus join(const CudaGroupId& id, int rank, int size, NcclGroup* group);
  // To be left once.
  void leave();
  // Sums each array over the group, in place and with equal bits for all, in turn with the stream's work.
  CudaStatus sum(float* const* arrays, const size_t* counts, size_t array_count, void* stream) const;

 private:
  void* communicator_ = nullptr;
};

}  // namespace ipai::cuda
