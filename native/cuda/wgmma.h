// wgmma: D += A·B of a warpgroup, 4 warps that begin at a multiple of 4, on compute capability 9.0 alone.
// Both operands are read from shared memory while the warps go on; sums are float32 in registers.
//
// Operands lie as SharedTile has rows of 64 elements of 16 bits: that is the layout of PTX's 128-byte
// swizzle, where the first row begins at a multiple of 1024 bytes (PTX ISA, "Matrix Descriptor Format").
#pragma once

#include "cuda/element.h"
#include "cuda/shared_address.h"
#include "cuda/shared_tile.h"
#include "cuda/window_rows.h"

namespace ipai::cuda {

inline constexpr int kGroupThreads = 128;
inline constexpr int kGroupRows = 64;

#if !defined(__CUDA_ARCH__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool kHasGroupProducts = true;
#else
inline constexpr bool kHasGroupProducts = false;
#endif

// Before the first product, and after sums were touched otherwise.
__device__ inline void begin_group_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

// The products since the last commit form a group.
__device__ inline void commit_group_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

// Returns when at most `kPending` of the latest groups are not done.
template <int kPending>
__device__ inline void wait_group_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
#endif
}

// Lets products read what the thread has written to shared memory, by copies too; a barrier is to follow.
__device__ inline void show_to_group_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

#if defined(__CUDACC__)
// Of rows of 128 bytes: groups of 8 rows are 1024 bytes apart, in units of 16 bytes; mode 1 is the 128-byte
// swizzle.
__device__ inline uint64_t matrix_descriptor(const void* first) {
  constexpr uint64_t kStride = uint64_t{1024 / 16} << 32, kUnused = uint64_t{1} << 16,
                     kSwizzle = uint64_t{1} << 62;
  return kSwizzle | kStride | kUnused | (shared_address(first) >> 4 & 0x3fff);
}

// The sums of 8 columns, as operands.
#define IPAI_SUMS(j) "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])
#define IPAI_SUMS_4(j) IPAI_SUMS(j), IPAI_SUMS(j + 1), IPAI_SUMS(j + 2), IPAI_SUMS(j + 3)
#define IPAI_SUMS_8 IPAI_SUMS_4(0), IPAI_SUMS_4(4)
#define IPAI_SUMS_16 IPAI_SUMS_8, IPAI_SUMS_4(8), IPAI_SUMS_4(12)
#define IPAI_SUMS_20 IPAI_SUMS_16, IPAI_SUMS_4(16)
#define IPAI_WGMMA(columns, type, registers, a_place, b_place, adds_place, sums)                   \
  asm volatile("{.reg .pred adds; setp.ne.b32 adds, " adds_place                                   \
               ", 0; "                                                                             \
               "wgmma.mma_async.sync.aligned.m64n" columns "k16.f32." type "." type " {" registers \
               "}, " a_place ", " b_place ", adds, 1, 1, 0, 0;}"                                   \
               : sums                                                                              \
               : "l"(a), "l"(b), "r"(static_cast<int>(adds)))
#define IPAI_REGISTERS_32                                                                                \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, " \
  "%22, %23, "                                                                                           \
  "%24, %25, %26, %27, %28, %29, %30, %31"
#define IPAI_REGISTERS_64                                                                                  \
  IPAI_REGISTERS_32                                                                                        \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, " \
  "%52, "                                                                                                  \
  "%53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define IPAI_REGISTERS_80 \
  IPAI_REGISTERS_64       \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"

template <class T>
__device__ inline void wgmma(float (&d)[8][4], uint64_t a, uint64_t b, bool adds) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (std::is_same_v<T, BFloat16>) {
    IPAI_WGMMA("64", "bf16", IPAI_REGISTERS_32, "%32", "%33", "%34", IPAI_SUMS_8);
  } else {
    IPAI_WGMMA("64", "f16", IPAI_REGISTERS_32, "%32", "%33", "%34", IPAI_SUMS_8);
  }
#endif
}
template <class T>
__device__ inline void wgmma(float (&d)[16][4], uint64_t a, uint64_t b, bool adds) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (std::is_same_v<T, BFloat16>) {
    IPAI_WGMMA("128", "bf16", IPAI_REGISTERS_64, "%64", "%65", "%66", IPAI_SUMS_16);
  } else {
    IPAI_WGMMA("128", "f16", IPAI_REGISTERS_64, "%64", "%65", "%66", IPAI_SUMS_16);
  }
#endif
}
template <class T>
__device__ inline void wgmma(float (&d)[20][4], uint64_t a, uint64_t b, bool adds) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (std::is_same_v<T, BFloat16>) {
    IPAI_WGMMA("160", "bf16", IPAI_REGISTERS_80, "%80", "%81", "%82", IPAI_SUMS_20);
  } else {
    IPAI_WGMMA("160", "f16", IPAI_REGISTERS_80, "%80", "%81", "%82", IPAI_SUMS_20);
  }
#endif
}

#undef IPAI_SUMS
#undef IPAI_SUMS_4
#undef IPAI_SUMS_8
#undef IPAI_SUMS_16
#undef IPAI_SUMS_20
#undef IPAI_WGMMA
#undef IPAI_REGISTERS_32
#undef IPAI_REGISTERS_64
#undef IPAI_REGISTERS_80
#endif

// A·Bᵀ over 16 of the depth, from element 16·k of rows of kStepDepth elements on, added to the sums or, where
// it does not add, in their place. A has kGroupRows rows, B 8 for each of `sums`. Of each 8 columns a thread
// has the sums that mma_m16n8k16 gives it, its warp those of 16 rows.
template <class T, int kColumnTiles>
__device__ inline void multiply_in_group(float (&sums)[kColumnTiles][4], const T* a, const T* b, int k,
                                         bool adds) {
#if defined(__CUDACC__)
  wgmma<T>(sums, matrix_descriptor(a + 16 * k), matrix_descriptor(b + 16 * k), adds);
#else
  using Tile = SharedTile<T, 8, kStepDepth>;
  const int row = static_cast<int>(threadIdx.x) % kGroupThreads / kWarpSize * 16 + lane_index() / 4;
  for (int j = 0; j < kColumnTiles; ++j) {
    for (int i = 0; i < 4; ++i) {
      if (!adds) sums[j][i] = 0;
      for (int step = 16 * k; step < 16 * k + 16; ++step) {
        const T left = a[Tile::element(row + i / 2 * 8, step)];
        const T right = b[Tile::element(8 * j + lane_index() % 4 * 2 + i % 2, step)];
        sums[j][i] += to_float(left) * to_float(right);
      }
    }
  }
#endif
}

}  // namespace ipai::cuda
