// Access to memory: checks that addresses fit the instructions, loads, atomics, fences.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ipai::cuda::emulation {

std::byte* dynamic_shared();
// Fails the launch unless the address is a multiple of 16.
void require_aligned(const void* address, const char* function);

}  // namespace ipai::cuda::emulation

template <class T>
T __ldg(const T* address) {
  return *address;
}

// Only one thread runs at a time, and all see what it wrote.
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T>
T atomicAdd(T* address, T value) {
  const T before = *address;
  *address = before + value;
  return before;
}
template <class T>
T atomicMax(T* address, T value) {
  const T before = *address;
  *address = before < value ? value : before;
  return before;
}
