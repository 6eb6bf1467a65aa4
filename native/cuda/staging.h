// Pinned memory through which bytes go to and from the device: a copy from it overlaps with the filling of
// the next part, and needs no second copy inside of the driver.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <mutex>

#include "runtime/cuda_interface.h"

namespace ipai::cuda {

class Staging {
 public:
  // Begins when all work of the stream before is done. Returns when `source` may be changed again.
  CudaStatus upload(void* target, const void* source, size_t bytes, cudaStream_t stream);
  // Waits for its end.
  CudaStatus download(void* target, const void* source, size_t bytes, cudaStream_t stream);

 private:
  // Large enough that a copy takes longer than its launch, by far.
  static constexpr size_t kChunkBytes = size_t{4} << 20;

  // Free again when its event has come.
  struct Chunk {
    std::byte* data = nullptr;
    cudaEvent_t event = nullptr;
  };

  // The next chunk in turn, free to be used.
  CudaStatus take(Chunk*& chunk);

  std::mutex mutex_;
  std::array<Chunk, 4> chunks_;
  size_t next_ = 0;
};

}  // namespace ipai::cuda
