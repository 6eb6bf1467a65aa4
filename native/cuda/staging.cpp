#include "cuda/staging.h"

#include <algorithm>
#include <cstring>

#include "cuda/check.h"

namespace ipai::cuda {

CudaStatus Staging::take(Chunk*& chunk) {
  chunk = &chunks_[next_];
  if (chunk->data == nullptr) {
    cudaError_t error = cudaEventCreateWithFlags(&chunk->event, cudaEventDisableTiming);
    if (error == cudaSuccess) error = cudaMallocHost(reinterpret_cast<void**>(&chunk->data), kChunkBytes);
    if (CudaStatus status = check(error, "taking pinned memory"); !status.ok()) return status;
  }
  next_ = (next_ + 1) % chunks_.size();
  // An event that was never recorded has come.
  return check(cudaEventSynchronize(chunk->event), "waiting for a copy");
}

CudaStatus Staging::upload(void* target, const void* source, size_t bytes, cudaStream_t stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t done = 0; done < bytes; done += kChunkBytes) {
    const size_t part = std::min(kChunkBytes, bytes - done);
    Chunk* chunk = nullptr;
    if (CudaStatus status = take(chunk); !status.ok()) return status;
    std::memcpy(chunk->data, static_cast<const std::byte*>(source) + done, part);
    cudaError_t error = cudaMemcpyAsync(static_cast<std::byte*>(target) + done, chunk->data, part,
                                        cudaMemcpyHostToDevice, stream);
    if (error == cudaSuccess) error = cudaEventRecord(chunk->event, stream);
    if (CudaStatus status = check(error, "copying to the device"); !status.ok()) return status;
  }
  return {};
}

CudaStatus Staging::download(void* target, const void* source, size_t bytes, cudaStream_t stream) {
  std::lock_guard<std::mutex> lock(mutex_);
  // Of the part before, which is emptied while the next one is on its way.
  Chunk* arriving = nullptr;
  size_t arriving_bytes = 0;
  std::byte* end = static_cast<std::byte*>(target);
  const auto empty = [&] {
    if (arriving == nullptr) return CudaStatus();
    CudaStatus status = check(cudaEventSynchronize(arriving->event), "copying from the device");
    if (status.ok()) std::memcpy(end, arriving->data, arriving_bytes);
    end += arriving_bytes;
    return status;
  };
  for (size_t done = 0; done < bytes; done += kChunkBytes) {
    const size_t part = std::min(kChunkBytes, bytes - done);
    Chunk* chunk = nullptr;
    if (CudaStatus status = take(chunk); !status.ok()) return status;
    cudaError_t error = cudaMemcpyAsync(chunk->data, static_cast<const std::byte*>(source) + done, part,
                                        cudaMemcpyDeviceToHost, stream);
    if (error == cudaSuccess) error = cudaEventRecord(chunk->event, stream);
    if (CudaStatus status = check(error, "copying from the device"); !status.ok()) return status;
    if (CudaStatus status = empty(); !status.ok()) return status;
    arriving = chunk;
    arriving_bytes = part;
  }
  return empty();
}

}  // namespace ipai::cuda
