// cp.async: copies of 16 bytes from global to shared memory that run while the thread goes on. A thread's
// copies since its last commit form a group; groups end in order. Data are there for the thread after its
// wait, and for the block's other threads after a barrier that follows. From copy_async on, the target must
// not be touched.
#pragma once

#include "cuda/platform.h"
#include "cuda/shared_address.h"

#if !defined(__CUDACC__)
#include "emulation/async_copy.h"
#endif

namespace ipai::cuda {

// Zeros arrive instead where `valid` is false; `source` is not read then.
__device__ inline void copy_async(void* target, const void* source, bool valid) {
#if defined(__CUDACC__)
  const uint32_t bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(target)), "l"(source),
               "r"(bytes)
               : "memory");
#else
  emulation::copy_async(target, source, valid);
#endif
}

__device__ inline void commit_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.commit_group;" ::: "memory");
#else
  emulation::commit_copies();
#endif
}

// Returns when at most `kPending` of the latest groups are still on their way.
template <int kPending>
__device__ inline void wait_copies() {
#if defined(__CUDACC__)
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
#else
  emulation::wait_copies(kPending);
#endif
}

}  // namespace ipai::cuda
