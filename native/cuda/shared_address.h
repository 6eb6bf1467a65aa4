// A pointer into shared memory as the 32-bit address that PTX instructions take.
#pragma once

#include "cuda/platform.h"

namespace ipai::cuda {

#if defined(__CUDACC__)
__device__ inline uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}
#endif

}  // namespace ipai::cuda
