// Functions that a block's or a warp's threads call together. Those of a warp take whole warps.
#pragma once

#include <cstdint>

namespace ipai::cuda::emulation {

void sync_threads();
void sync_warp(uint32_t mask);
// The value of the lane `source`; every lane gives its own.
uint32_t shuffle(const char* name, uint32_t mask, uint32_t value, int source);
// Bits of the lanes whose predicate is true.
uint32_t ballot(const char* name, uint32_t mask, bool predicate);
int lane();

// The lane among groups of `width` that a shuffle reads from: its own where the group ends before.
inline int in_group(int source, int width) {
  return source >= 0 && source / width == lane() / width ? source : lane();
}

template <class T>
T shuffle_value(const char* name, uint32_t mask, T value, int source) {
  static_assert(sizeof(T) == 4, "shuffles move 32-bit values");
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof(bits));
  bits = shuffle(name, mask, bits, source);
  __builtin_memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace ipai::cuda::emulation

inline void __syncthreads() {
  ipai::cuda::emulation::sync_threads();
}
inline void __syncwarp(uint32_t mask = 0xffffffff) {
  ipai::cuda::emulation::sync_warp(mask);
}

template <class T>
T __shfl_sync(uint32_t mask, T value, int source, int width = 32) {
  const int first = ipai::cuda::emulation::lane() / width * width;
  return ipai::cuda::emulation::shuffle_value("__shfl_sync", mask, value, first + source % width);
}
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int lane_mask, int width = 32) {
  const int source = ipai::cuda::emulation::lane() ^ lane_mask;
  return ipai::cuda::emulation::shuffle_value("__shfl_xor_sync", mask, value,
                                              ipai::cuda::emulation::in_group(source, width));
}
template <class T>
T __shfl_down_sync(uint32_t mask, T value, int distance, int width = 32) {
  const int source = ipai::cuda::emulation::lane() + distance;
  return ipai::cuda::emulation::shuffle_value("__shfl_down_sync", mask, value,
                                              ipai::cuda::emulation::in_group(source, width));
}
template <class T>
T __shfl_up_sync(uint32_t mask, T value, int distance, int width = 32) {
  const int source = ipai::cuda::emulation::lane() - distance;
  return ipai::cuda::emulation::shuffle_value("__shfl_up_sync", mask, value,
                                              ipai::cuda::emulation::in_group(source, width));
}

inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
  return ipai::cuda::emulation::ballot("__ballot_sync", mask, predicate != 0);
}
inline int __any_sync(uint32_t mask, int predicate) {
  return ipai::cuda::emulation::ballot("__any_sync", mask, predicate != 0) != 0;
}
inline int __all_sync(uint32_t mask, int predicate) {
  return ipai::cuda::emulation::ballot("__all_sync", mask, predicate != 0) == 0xffffffff;
}
