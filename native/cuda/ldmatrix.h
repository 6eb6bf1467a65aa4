// ldmatrix: a warp loads N (1, 2 or 4) matrices of 8x8 16-bit elements from shared memory. Lane 8·i + r gives
// the address of row r of matrix i, 16 bytes that begin at a multiple of 16 (lanes from 8·N on give any
// address).
//
// Fragments (PTX ISA, "ldmatrix"), with g = lane / 4 and t = lane % 4:
//   load_matrices:            fragments[i] = matrix i at [g][2t] and [g][2t + 1]
//   load_matrices_transposed: fragments[i] = matrix i at [2t][g] and [2t + 1][g]
#pragma once

#include "cuda/platform.h"
#include "cuda/shared_address.h"

#if !defined(__CUDACC__)
#include "emulation/matrix.h"
#endif

namespace ipai::cuda {

template <int N>
__device__ inline void load_matrices(uint32_t (&fragments)[N], const void* row) {
  static_assert(N == 1 || N == 2 || N == 4, "ldmatrix loads 1, 2 or 4 matrices");
#if defined(__CUDACC__)
  const uint32_t address = shared_address(row);
  if constexpr (N == 1) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                 : "=r"(fragments[0])
                 : "r"(address)
                 : "memory");
  } else if constexpr (N == 2) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                 : "=r"(fragments[0]), "=r"(fragments[1])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
                 : "r"(address)
                 : "memory");
  }
#else
  emulation::load_matrices(fragments, row);
#endif
}

template <int N>
__device__ inline void load_matrices_transposed(uint32_t (&fragments)[N], const void* row) {
  static_assert(N == 1 || N == 2 || N == 4, "ldmatrix loads 1, 2 or 4 matrices");
#if defined(__CUDACC__)
  const uint32_t address = shared_address(row);
  if constexpr (N == 1) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                 : "=r"(fragments[0])
                 : "r"(address)
                 : "memory");
  } else if constexpr (N == 2) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                 : "=r"(fragments[0]), "=r"(fragments[1])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(fragments[0]), "=r"(fragments[1]), "=r"(fragments[2]), "=r"(fragments[3])
                 : "r"(address)
                 : "memory");
  }
#else
  emulation::load_matrices_transposed(fragments, row);
#endif
}

}  // namespace ipai::cuda
