// wgmma: D += A·B of a warpgroup, 4 warps that begin at a multiple of 4, on compute capability 9.0 alone.
// B is read from shared memory while the warps go on, and so is A, or it is in registers; sums are float32 in
// registers.
//
// In shared memory, operands lie as SharedTile has rows of 64 elements of 16 bits: that is the layout of
// PTX's 128-byte swizzle, where the first row begins at a multiple of 1024 bytes (PTX ISA, "Matrix Descriptor
// Format").
#pragma once

#include "cuda/element.h"
#include "cuda/mma.h"
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

// Sums of products that were waited for may be touched from here on. The compiler knows of no other reason
// not to read them before the wait.
template <int kColumnTiles>
__device__ inline void settle_sums([[maybe_unused]] float (&sums)[kColumnTiles][4]) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#pragma unroll
  for (auto& columns : sums) {
#pragma unroll
    for (float& sum : columns) asm volatile("" : "+f"(sum)::"memory");
  }
#endif
}

// Commits products and returns when all are done and `sums`, those that they have added to, may be touched.
template <class... Sums>
__device__ inline void finish_group_products(Sums&... sums) {
  commit_group_products();
  wait_group_products<0>();
  (settle_sums(sums), ...);
}

// Lets products read what the thread has written to shared memory, by copies too; a barrier is to follow.
__device__ inline void show_to_group_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

// What the product's depth goes along: the rows of a matrix, or the columns.
enum class Depth { kAlongRows, kAlongColumns };

#if defined(__CUDACC__)
// Of rows of 128 bytes: groups of 8 rows are 1024 bytes apart, in units of 16 bytes; mode 1 is the 128-byte
// swizzle. Where columns are more than 64 and the depth goes along rows, the next 64 are `block_bytes` away;
// otherwise that is not used.
__device__ inline uint64_t matrix_descriptor(const void* first, int block_bytes = 16) {
  constexpr uint64_t kStride = uint64_t{1024 / 16} << 32, kSwizzle = uint64_t{1} << 62;
  return kSwizzle | kStride | static_cast<uint64_t>(block_bytes / 16) << 16 |
         (shared_address(first) >> 4 & 0x3fff);
}

// The sums of 8 columns, as operands.
#define IPAI_SUMS(j) "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])
#define IPAI_SUMS_2(j) IPAI_SUMS(j), IPAI_SUMS(j + 1)
#define IPAI_SUMS_4(j) IPAI_SUMS_2(j), IPAI_SUMS_2(j + 2)
#define IPAI_SUMS_5 IPAI_SUMS_4(0), IPAI_SUMS(4)
#define IPAI_SUMS_8 IPAI_SUMS_4(0), IPAI_SUMS_4(4)
#define IPAI_SUMS_10 IPAI_SUMS_8, IPAI_SUMS_2(8)
#define IPAI_SUMS_16 IPAI_SUMS_8, IPAI_SUMS_4(8), IPAI_SUMS_4(12)
#define IPAI_SUMS_20 IPAI_SUMS_16, IPAI_SUMS_4(16)
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define IPAI_WGMMA(columns, type, registers, a_place, b_place, adds_place, ...)                    \
  asm volatile("{.reg .pred adds; setp.ne.b32 adds, " adds_place                                   \
               ", 0; "                                                                             \
               "wgmma.mma_async.sync.aligned.m64n" columns "k16.f32." type "." type " {" registers \
               "}, " a_place ", " b_place ", adds, 1, 1, 0, 0;}"                                   \
               : __VA_ARGS__                                                                       \
               : "l"(a), "l"(b), "r"(static_cast<int>(adds)))
#define IPAI_WGMMA_BY_REGISTERS(columns, type, registers, a_places, b_place, adds_place, rows_place, ...) \
  asm volatile("{.reg .pred adds; setp.ne.b32 adds, " adds_place                                          \
               ", 0; "                                                                                    \
               "wgmma.mma_async.sync.aligned.m64n" columns "k16.f32." type "." type " {" registers        \
               "}, {" a_places "}, " b_place ", adds, 1, 1, " rows_place ";}"                             \
               : __VA_ARGS__                                                                              \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(adds)),         \
                 "n"(static_cast<int>(kDepth == Depth::kAlongRows)))
#else
#define IPAI_WGMMA(columns, type, registers, a_place, b_place, adds_place, ...)
#define IPAI_WGMMA_BY_REGISTERS(columns, type, registers, a_places, b_place, adds_place, rows_place, ...)
#endif
// wgmma of so many tiles of 8 columns, with A in shared memory, and with A in registers.
#define IPAI_DEFINE_WGMMA(tiles, columns, registers, a_place, b_place, adds_place, ...)  \
  template <class T>                                                                     \
  __device__ inline void wgmma(float(&d)[tiles][4], uint64_t a, uint64_t b, bool adds) { \
    if constexpr (std::is_same_v<T, BFloat16>) {                                         \
      IPAI_WGMMA(columns, "bf16", registers, a_place, b_place, adds_place, __VA_ARGS__); \
    } else {                                                                             \
      IPAI_WGMMA(columns, "f16", registers, a_place, b_place, adds_place, __VA_ARGS__);  \
    }                                                                                    \
  }
#define IPAI_DEFINE_WGMMA_BY_REGISTERS(tiles, columns, registers, a_places, b_place, adds_place, rows_place, \
                                       ...)                                                                  \
  template <class T, Depth kDepth>                                                                           \
  __device__ inline void wgmma(float(&d)[tiles][4], const uint32_t(&a)[4], uint64_t b, bool adds) {          \
    if constexpr (std::is_same_v<T, BFloat16>) {                                                             \
      IPAI_WGMMA_BY_REGISTERS(columns, "bf16", registers, a_places, b_place, adds_place, rows_place,         \
                              __VA_ARGS__);                                                                  \
    } else {                                                                                                 \
      IPAI_WGMMA_BY_REGISTERS(columns, "f16", registers, a_places, b_place, adds_place, rows_place,          \
                              __VA_ARGS__);                                                                  \
    }                                                                                                        \
  }
#define IPAI_REGISTERS_8 "%0, %1, %2, %3, %4, %5, %6, %7"
#define IPAI_REGISTERS_20 IPAI_REGISTERS_8 ", %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19"
#define IPAI_REGISTERS_32 IPAI_REGISTERS_20 ", %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define IPAI_REGISTERS_40 IPAI_REGISTERS_32 ", %32, %33, %34, %35, %36, %37, %38, %39"
#define IPAI_REGISTERS_64                                                                                  \
  IPAI_REGISTERS_40                                                                                        \
  ", %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, " \
  "%60, %61, %62, %63"
#define IPAI_REGISTERS_80 \
  IPAI_REGISTERS_64       \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"

IPAI_DEFINE_WGMMA(8, "64", IPAI_REGISTERS_32, "%32", "%33", "%34", IPAI_SUMS_8)
IPAI_DEFINE_WGMMA(16, "128", IPAI_REGISTERS_64, "%64", "%65", "%66", IPAI_SUMS_16)
IPAI_DEFINE_WGMMA(20, "160", IPAI_REGISTERS_80, "%80", "%81", "%82", IPAI_SUMS_20)
IPAI_DEFINE_WGMMA_BY_REGISTERS(2, "16", IPAI_REGISTERS_8, "%8, %9, %10, %11", "%12", "%13", "%14",
                               IPAI_SUMS_2(0))
IPAI_DEFINE_WGMMA_BY_REGISTERS(5, "40", IPAI_REGISTERS_20, "%20, %21, %22, %23", "%24", "%25", "%26",
                               IPAI_SUMS_5)
IPAI_DEFINE_WGMMA_BY_REGISTERS(10, "80", IPAI_REGISTERS_40, "%40, %41, %42, %43", "%44", "%45", "%46",
                               IPAI_SUMS_10)
IPAI_DEFINE_WGMMA_BY_REGISTERS(20, "160", IPAI_REGISTERS_80, "%80, %81, %82, %83", "%84", "%85", "%86",
                               IPAI_SUMS_20)

#undef IPAI_SUMS
#undef IPAI_SUMS_2
#undef IPAI_SUMS_4
#undef IPAI_SUMS_5
#undef IPAI_SUMS_8
#undef IPAI_SUMS_10
#undef IPAI_SUMS_16
#undef IPAI_SUMS_20
#undef IPAI_WGMMA
#undef IPAI_WGMMA_BY_REGISTERS
#undef IPAI_DEFINE_WGMMA
#undef IPAI_DEFINE_WGMMA_BY_REGISTERS
#undef IPAI_REGISTERS_8
#undef IPAI_REGISTERS_20
#undef IPAI_REGISTERS_32
#undef IPAI_REGISTERS_40
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

// Rows of kColumns elements in blocks of kStepDepth columns, one after another, each as SharedTile has rows
// of kStepDepth; columns are made up to whole blocks.
template <class T, int kRows, int kUsedColumns>
struct ColumnBlocks {
  static constexpr int kChunks = kUsedColumns / 8;
  static constexpr int kColumns = (kUsedColumns + kStepDepth - 1) / kStepDepth * kStepDepth;
  static constexpr int kRowElements = kStepDepth;
  static constexpr int kBlockElements = kRows * kStepDepth;
  static_assert(kRows % 8 == 0, "blocks are whole groups of rows");

  using Block = SharedTile<T, kRows, kStepDepth>;

  // Index of the first element of a chunk.
  __device__ static int chunk(int row, int chunk) {
    return chunk / Block::kChunks * kBlockElements + Block::chunk(row, chunk % Block::kChunks);
  }
  __device__ static int element(int row, int column) { return chunk(row, column / 8) + column % 8; }
};

// A·B over 16 of the depth, from element 16·k on, where B is a matrix of ColumnBlocks or, with the depth
// along its columns, that matrix transposed. Of A a thread has the fragment that mma_m16n8k16 takes, its warp
// 16 rows.
template <class Matrix, Depth kDepth, class T, int kColumnTiles>
__device__ inline void multiply_in_group(float (&sums)[kColumnTiles][4], const uint32_t (&a)[4],
                                         const T* matrix, int k, bool adds) {
#if defined(__CUDACC__)
  if constexpr (kDepth == Depth::kAlongRows) {
    constexpr int kBlockBytes = Matrix::kBlockElements * static_cast<int>(sizeof(T));
    wgmma<T, kDepth>(sums, a, matrix_descriptor(matrix + 16 * k * kStepDepth, kBlockBytes), adds);
  } else {
    constexpr int kSteps = kStepDepth / 16;
    const T* const first = matrix + k / kSteps * Matrix::kBlockElements + k % kSteps * 16;
    wgmma<T, kDepth>(sums, a, matrix_descriptor(first), adds);
  }
#else
  const auto pair_at = [&](int depth, int column) {
    const auto at = [&](int i) {
      return to_float(
          matrix[kDepth == Depth::kAlongRows ? Matrix::element(i, column) : Matrix::element(column, i)]);
    };
    return pack_pair<T>(at(depth), at(depth + 1));
  };
  const int column = lane_index() / 4, depth = 16 * k + lane_index() % 4 * 2;
  for (int j = 0; j < kColumnTiles; ++j) {
    if (!adds) std::fill_n(sums[j], 4, 0.0F);
    mma_m16n8k16<T>(sums[j], a, {pair_at(depth, 8 * j + column), pair_at(depth + 8, 8 * j + column)});
  }
#endif
}

}  // namespace ipai::cuda
