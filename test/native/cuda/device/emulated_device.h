// A device on the host: a heap that knows its blocks, and a queue of work that runs when somebody waits, as
// late as CUDA's may.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "cuda/nccl.h"
#include "cuda/recording.h"
#include "cuda/status.h"

namespace ipai {

struct CudaDeviceHandle {
  // Of the emulation's H100.
  DeviceTraits traits;
  std::mutex mutex;
  // Address to size.
  std::map<std::byte*, size_t> blocks;
  size_t bytes = 0;
  std::vector<std::function<CudaStatus()>> queue;
  // The first failure of queued work stays, as CUDA's do, for as long as the settings ask for one.
  CudaStatus failure;

  CudaStatus allocate(size_t size, void** address);
  // Takes place in its turn, and overwrites what the block held.
  void free(void* address);
  // Fails at once when the bytes are not within one block.
  CudaStatus copy(void* target, const void* source, size_t size);
  CudaStatus check_block(const void* address, size_t size);
  void enqueue(std::function<CudaStatus()> work);
  // Runs what is queued.
  CudaStatus wait();
};

struct CudaRecording {
  CudaDeviceHandle* device;
  cuda::Recording recording;
};

// A copy of the recording: what is recorded later has no part in it.
struct CudaGraph {
  CudaDeviceHandle* device;
  cuda::Recording recording;
  // In which the nodes run.
  std::vector<size_t> sequence;
};

struct CudaGroup {
  CudaDeviceHandle* device;
  cuda::NcclGroup nccl;
};

namespace cuda::emulation {

// How many of these live, or were launched, in this process: for tests.
struct Counts {
  int graphs = 0;
  int graph_launches = 0;
  int recordings = 0;
  int node_launches = 0;
};

extern Counts counts;

}  // namespace cuda::emulation

}  // namespace ipai
