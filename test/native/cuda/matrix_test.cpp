// mma and ldmatrix against plain products: the fragments must be those of the PTX ISA.
#include <cstring>
#include <vector>

#include "cuda/ldmatrix.h"
#include "cuda/mma.h"
#include "cuda/shared_tile.h"
#include "emulate.h"

namespace ipai::test {
namespace {

using namespace cuda;  // NOLINT: device code under test

// Small integers: exact in every type, so that any order of sums gives equal results.
float entry(int row, int column) {
  return static_cast<float>((row * 7 + column * 5) % 13 - 6);
}

// A [16, K] and B [K, 8], fragments gathered by the layout that the manual prints.
template <class T, int kDepth>
void product(float* d) {
  const int group = static_cast<int>(threadIdx.x) / 4, place = static_cast<int>(threadIdx.x) % 4;
  uint32_t a[kDepth / 4], b[kDepth / 8];
  for (int i = 0; i < kDepth / 4; ++i) {
    const int row = i % 2 == 0 ? group : group + 8;
    const int column = i < 2 ? place * 2 : place * 2 + 8;
    a[i] = pack_pair<T>(entry(row, column), entry(row, column + 1));
  }
  for (int i = 0; i < kDepth / 8; ++i) {
    const int row = i == 0 ? place * 2 : place * 2 + 8;
    b[i] = pack_pair<T>(entry(row + 3, group), entry(row + 4, group));
  }
  float sums[4] = {1, 1, 1, 1};
  if constexpr (kDepth == 16) mma_m16n8k16<T>(sums, a, b);
  if constexpr (kDepth == 8) mma_m16n8k8<T>(sums, a, b);
  d[group * 8 + place * 2] = sums[0];
  d[group * 8 + place * 2 + 1] = sums[1];
  d[(group + 8) * 8 + place * 2] = sums[2];
  d[(group + 8) * 8 + place * 2 + 1] = sums[3];
}

template <class T, int kDepth>
void check_product() {
  for (const auto order : kOrders) {
    std::vector<float> d(16 * 8);
    REQUIRE_EQ(emulate(order, product<T, kDepth>, {{1}, 32}, d.data()), "");
    for (int row = 0; row < 16; ++row) {
      for (int column = 0; column < 8; ++column) {
        float expected = 1;
        for (int k = 0; k < kDepth; ++k) expected += entry(row, k) * entry(k + 3, column);
        CHECK_EQ(d[static_cast<size_t>(row * 8 + column)], expected);
      }
    }
  }
}

// N matrices of consecutive numbers, each lane's fragments written out.
template <int N, bool transposed>
void fragments_of(uint32_t* y) {
  auto* const shared = reinterpret_cast<uint16_t*>(dynamic_shared());
  for (unsigned i = threadIdx.x; i < N * 64; i += 32) shared[i] = static_cast<uint16_t>(i);
  __syncwarp();
  uint32_t fragments[N];
  const uint16_t* const row = shared + 8 * (threadIdx.x % (8 * N));
  if constexpr (transposed) {
    load_matrices_transposed(fragments, row);
  } else {
    load_matrices(fragments, row);
  }
  for (int i = 0; i < N; ++i) y[threadIdx.x * N + static_cast<unsigned>(i)] = fragments[i];
}

template <int N>
void check_fragments() {
  std::vector<uint32_t> plain(32 * N), transposed(32 * N);
  const LaunchShape shape = {{1}, 32, N * 128};
  REQUIRE_EQ(emulate(kOrders[0], fragments_of<N, false>, shape, plain.data()), "");
  REQUIRE_EQ(emulate(kOrders[1], fragments_of<N, true>, shape, transposed.data()), "");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    for (uint32_t i = 0; i < N; ++i) {
      const uint32_t group = lane / 4, place = lane % 4 * 2, first = 64 * i;
      CHECK_EQ(plain[lane * N + i], (first + 8 * group + place) | (first + 8 * group + place + 1) << 16);
      CHECK_EQ(transposed[lane * N + i], (first + 8 * place + group) | (first + 8 * (place + 1) + group)
                                                                           << 16);
    }
  }
}

// D [16, 16] = A [16, 48] · B [48, 16], as a kernel has it: A and B in swizzled tiles, both row-major, x4
// loads.
template <class T>
void tile_product(const T* a, const T* b, float* d) {
  using TileA = SharedTile<T, 16, 48>;
  using TileB = SharedTile<T, 48, 16>;
  T* const shared_a = reinterpret_cast<T*>(dynamic_shared());
  T* const shared_b = shared_a + 16 * 48;
  const int lane = lane_index();
  for (int i = lane; i < 16 * 48; i += 32) {
    shared_a[TileA::element(i / 48, i % 48)] = a[i];
    shared_b[TileB::element(i / 16, i % 16)] = b[i];
  }
  __syncwarp();
  float sums[2][4] = {};
  for (int k = 0; k < 48; k += 16) {
    uint32_t fragments_a[4], fragments_b[4];
    load_matrices(fragments_a, shared_a + TileA::chunk(lane % 16, k / 8 + lane / 16));
    load_matrices_transposed(fragments_b, shared_b + TileB::chunk(k + lane % 16, lane / 16));
    mma_m16n8k16<T>(sums[0], fragments_a, {fragments_b[0], fragments_b[1]});
    mma_m16n8k16<T>(sums[1], fragments_a, {fragments_b[2], fragments_b[3]});
  }
  for (int tile = 0; tile < 2; ++tile) {
    for (int i = 0; i < 4; ++i) {
      d[(lane / 4 + 8 * (i / 2)) * 16 + 8 * tile + 2 * (lane % 4) + i % 2] = sums[tile][i];
    }
  }
}

template <class T>
void check_tile_product() {
  std::vector<T> a(16 * 48), b(48 * 16);
  for (int i = 0; i < 16 * 48; ++i) {
    a[static_cast<size_t>(i)] = from_float<T>(entry(i / 48, i % 48));
    b[static_cast<size_t>(i)] = from_float<T>(entry(i / 16 + 1, i % 16));
  }
  std::vector<float> d(16 * 16);
  const LaunchShape shape = {{1}, 32, 2 * 16 * 48 * sizeof(T)};
  REQUIRE_EQ(emulate(kOrders[0], tile_product<T>, shape, a.data(), b.data(), d.data()), "");
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 16; ++column) {
      float expected = 0;
      for (int k = 0; k < 48; ++k) expected += entry(row, k) * entry(k + 1, column);
      CHECK_EQ(d[static_cast<size_t>(row * 16 + column)], expected);
    }
  }
}

void misaligned() {
  uint32_t fragments[1];
  load_matrices(fragments, dynamic_shared() + 8);
}

}  // namespace

TEST_CASE("cuda mma: fragments as the manual has them, depth 16 and 8") {
  check_product<Float16, 16>();
  check_product<BFloat16, 16>();
  check_product<Float16, 8>();
  check_product<BFloat16, 8>();
}

TEST_CASE("cuda ldmatrix: one, two and four matrices, plain and transposed") {
  check_fragments<1>();
  check_fragments<2>();
  check_fragments<4>();
  CHECK_EQ(emulate(kOrders[0], misaligned, {{1}, 32, 256}),
           "kernel, block [0, 0, 0]: load_matrices: expected an address in the 256 bytes of dynamic shared "
           "memory, a "
           "multiple of 16; thread 0 (warp 0, lane 0) gave offset 8.");
}

TEST_CASE("cuda tiles: ldmatrix feeds mma from swizzled shared memory") {
  check_tile_product<Float16>();
  check_tile_product<BFloat16>();
}

}  // namespace ipai::test
