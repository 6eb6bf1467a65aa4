// The building blocks of native/cuda but for matrices: elements, vectors, reductions, asynchronous copies,
// tiles.
#include <cmath>
#include <vector>

#include "cuda/async_copy.h"
#include "cuda/math.h"
#include "cuda/reduce.h"
#include "cuda/shared_tile.h"
#include "cuda/vector.h"
#include "emulate.h"

namespace ipai::test {
namespace {

using namespace cuda;  // NOLINT: device code under test

template <class T>
void negate_vector(const T* x, T* y) {
  float lanes[Vector<T>::kLanes];
  Vector<T>::load(x + threadIdx.x * Vector<T>::kLanes).to_floats(lanes);
  for (float& lane : lanes) lane = -lane;
  Vector<T>::from_floats(lanes).store(y + threadIdx.x * Vector<T>::kLanes);
}

template <class T>
void check_vectors() {
  constexpr int kCount = 32 * Vector<T>::kLanes;
  alignas(16) T x[kCount + 1];
  alignas(16) T y[kCount];
  for (int i = 0; i < kCount; ++i) x[i] = from_float<T>(static_cast<float>(i) * 0.25f - 7);
  REQUIRE_EQ(emulate(kOrders[0], negate_vector<T>, {{1}, 32}, x, y), "");
  for (int i = 0; i < kCount; ++i) CHECK_EQ(to_float(y[i]), 7 - static_cast<float>(i) * 0.25f);
  CHECK_EQ(emulate(kOrders[0], negate_vector<T>, {{1}, 32}, x + 1, y),
           "kernel, block [0, 0, 0]: Vector: expected an address that is a multiple of 16.");
}

void reductions(const float* x, float* y) {
  __shared__ float partial[8];
  const float value = x[threadIdx.x];
  y[threadIdx.x] = warp_reduce<Sum>(value);
  y[blockDim.x + threadIdx.x] = warp_reduce<Max, 4>(value);
  y[2 * blockDim.x + threadIdx.x] = block_reduce<Sum>(value, partial);
  y[3 * blockDim.x + threadIdx.x] = block_reduce<Max>(value, partial);
}

// Two groups of copies: elements of x, then zeros; waits for the first or both.
template <int kPending>
void copy(const float* x, float* y) {
  auto* const shared = reinterpret_cast<float*>(dynamic_shared());
  float* const first = shared + 4 * threadIdx.x;
  float* const second = shared + 4 * (blockDim.x + threadIdx.x);
  copy_async(first, x + 4 * threadIdx.x, true);
  commit_copies();
  copy_async(second, nullptr, false);
  commit_copies();
  wait_copies<kPending>();
  __syncthreads();
  const unsigned other = blockDim.x - 1 - threadIdx.x;
  for (unsigned i = 0; i < 4; ++i) {
    y[4 * threadIdx.x + i] = shared[4 * other + i];
    y[4 * (blockDim.x + threadIdx.x) + i] = shared[4 * (blockDim.x + other) + i];
  }
}

void copy_beyond_shared(const float* x) {
  copy_async(dynamic_shared() + 16 * threadIdx.x, x, true);
}

// Whether the chunks that one phase of ldmatrix reads lie in different groups of banks, for every start.
template <int kColumns>
void check_tile() {
  using Tile = SharedTile<BFloat16, 16, kColumns>;
  std::vector<int> seen(16 * kColumns, 0);
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      const int index = Tile::element(row, column);
      REQUIRE(index >= row * kColumns);
      REQUIRE(index < (row + 1) * kColumns);
      ++seen[static_cast<size_t>(index)];
    }
  }
  for (const int count : seen) CHECK_EQ(count, 1);
  for (int row = 0; row < 16; row += 8) {
    for (int chunk = 0; chunk < Tile::kChunks; ++chunk) {
      unsigned groups = 0;
      for (int i = 0; i < 8; ++i) groups |= 1u << Tile::chunk(row + i, chunk) / 8 % 8;
      CHECK_MESSAGE(groups == 0xff, "rows of ", kColumns, ", chunk ", chunk);
    }
  }
}

}  // namespace

TEST_CASE("cuda elements: pairs have the first element in the low half") {
  CHECK_EQ(pack_pair<Float16>(1, -2), 0xc0003c00);
  CHECK_EQ(pack_pair<BFloat16>(1, -2), 0xc0003f80);
  CHECK_EQ(unpack_pair<Float16>(0xc0003c00).x, 1);
  CHECK_EQ(unpack_pair<BFloat16>(0xc0003f80).y, -2);
}

TEST_CASE("cuda vectors: loads, stores and their alignment") {
  check_vectors<float>();
  check_vectors<Float16>();
  check_vectors<BFloat16>();
}

TEST_CASE("cuda reductions: over warps, parts of warps, and blocks") {
  for (const unsigned threads : {32u, 96u, 256u}) {
    std::vector<float> x(threads), y(4 * threads);
    for (unsigned i = 0; i < threads; ++i) x[i] = static_cast<float>(i * 37 % threads);
    for (const auto order : kOrders) {
      REQUIRE_EQ(emulate(order, reductions, {{1}, threads}, x.data(), y.data()), "");
      for (unsigned i = 0; i < threads; ++i) {
        float warp_sum = 0, part_max = 0;
        for (unsigned j = 0; j < 32; ++j) warp_sum += x[i / 32 * 32 + j];
        for (unsigned j = 0; j < 4; ++j) part_max = std::max(part_max, x[i / 4 * 4 + j]);
        CHECK_EQ(y[i], warp_sum);
        CHECK_EQ(y[threads + i], part_max);
        CHECK_EQ(y[2 * threads + i], static_cast<float>(threads * (threads - 1) / 2));
        CHECK_EQ(y[3 * threads + i], static_cast<float>(threads - 1));
      }
    }
  }
}

TEST_CASE("cuda asynchronous copies: there after the wait, garbage before") {
  constexpr unsigned kThreads = 64;
  alignas(16) float x[4 * kThreads];
  for (unsigned i = 0; i < 4 * kThreads; ++i) x[i] = static_cast<float>(i);
  const LaunchShape shape = {{1}, kThreads, 8 * kThreads * sizeof(float)};
  for (const auto order : kOrders) {
    std::vector<float> y(8 * kThreads, 1);
    REQUIRE_EQ(emulate(order, copy<0>, shape, x, y.data()), "");
    for (unsigned i = 0; i < 4 * kThreads; ++i) {
      CHECK_EQ(y[i], x[4 * (kThreads - 1 - i / 4) + i % 4]);
      CHECK_EQ(y[4 * kThreads + i], 0);
    }
    REQUIRE_EQ(emulate(order, copy<1>, shape, x, y.data()), "");
    CHECK_EQ(y[0], x[4 * (kThreads - 1)]);
    CHECK(std::isnan(y[4 * kThreads]));
    REQUIRE_EQ(emulate(order, copy<2>, shape, x, y.data()), "");
    CHECK(std::isnan(y[0]));
  }
  CHECK_EQ(
      emulate(kOrders[0], copy_beyond_shared, {{1}, 32, 31 * 16}, x),
      "kernel, block [0, 0, 0]: copy_async: expected an address in the 496 bytes of dynamic shared memory, a "
      "multiple of 16; thread 31 (warp 0, lane 31) gave offset 496.");
}

TEST_CASE("cuda tiles: every element has its place, and ldmatrix meets no bank twice") {
  check_tile<8>();
  check_tile<16>();
  check_tile<24>();
  check_tile<32>();
  check_tile<40>();
  check_tile<48>();
  check_tile<64>();
  check_tile<80>();
  check_tile<88>();
  check_tile<96>();
  check_tile<128>();
  check_tile<160>();
}

TEST_CASE("cuda mathematics") {
  for (float x = -30; x <= 30; x += 0.37f) {
    CHECK_EQ(sigmoid(x), doctest::Approx(1 / (1 + std::exp(-x))).epsilon(3e-6));
  }
}

}  // namespace ipai::test
