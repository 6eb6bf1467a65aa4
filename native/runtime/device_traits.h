// What ops may know of the device that they are compiled for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipai {

enum class Device : uint8_t { kCpu, kCuda };

struct DeviceTraits {
  Device kind = Device::kCpu;
  // Of the CPU's thread team.
  int thread_count = 1;
  // Of a CUDA device: e.g. 86 for 8.6; multiprocessors; the most shared memory that one block can have.
  int compute_capability = 0;
  int multiprocessors = 0;
  size_t shared_bytes_per_block = 0;
};

// Whether warpgroups multiply (wgmma), which devices of compute capability 9.0 alone do.
inline bool has_group_products(const DeviceTraits& device) {
  return device.compute_capability == 90;
}

}  // namespace ipai
