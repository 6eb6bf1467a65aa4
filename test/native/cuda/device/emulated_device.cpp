#include "device/emulated_device.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "device/settings.h"

namespace ipai {
namespace {

// As CUDA's allocations.
constexpr size_t kAlignment = 256;

}  // namespace

CudaStatus CudaDeviceHandle::allocate(size_t size, void** address) {
  const std::lock_guard<std::mutex> lock(mutex);
  if (bytes + size > cuda::emulation::settings().memory << 20)
    return cuda::to_status(ErrorCode::kOutOfMemory, "cuda: taking memory: out of memory.");
  const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  auto* const block = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
  // NaNs: whatever reads what nobody wrote shows.
  std::memset(block, 0xff, rounded);
  blocks[block] = size;
  bytes += size;
  *address = block;
  return {};
}

void CudaDeviceHandle::free(void* address) {
  auto* const block = static_cast<std::byte*>(address);
  const std::lock_guard<std::mutex> lock(mutex);
  const auto entry = blocks.find(block);
  bytes -= entry->second;
  blocks.erase(entry);
  queue.push_back([block] {
    std::free(block);
    return CudaStatus();
  });
}

CudaStatus CudaDeviceHandle::check_block(const void* address, size_t size) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto* const first = static_cast<const std::byte*>(address);
  auto after = blocks.upper_bound(const_cast<std::byte*>(first));
  if (after != blocks.begin()) {
    const auto& [block, block_size] = *std::prev(after);
    if (first + size <= block + block_size) return {};
  }
  return cuda::to_status(ErrorCode::kInternal, "cuda: an address that is not of the device's memory.");
}

CudaStatus CudaDeviceHandle::copy(void* target, const void* source, size_t size) {
  for (const void* address : {static_cast<const void*>(target), source}) {
    if (CudaStatus status = check_block(address, size); !status.ok()) return status;
  }
  enqueue([target, source, size] {
    std::memcpy(target, source, size);
    return CudaStatus();
  });
  return {};
}

void CudaDeviceHandle::enqueue(std::function<CudaStatus()> work) {
  const std::lock_guard<std::mutex> lock(mutex);
  queue.push_back(std::move(work));
}

CudaStatus CudaDeviceHandle::wait() {
  std::vector<std::function<CudaStatus()>> work;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    work = std::move(queue);
    queue.clear();
  }
  if (cuda::emulation::settings().fail.empty()) failure = {};
  for (const auto& item : work) {
    const CudaStatus status = item();
    if (failure.ok()) failure = status;
  }
  return failure;
}

}  // namespace ipai
