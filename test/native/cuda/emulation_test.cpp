// The emulation of a block: what it runs, and the mistakes that it finds.
#include <vector>

#include "cuda/platform.h"
#include "emulate.h"

namespace ipai::test {
namespace {

using cuda::lane_index;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void reverse_through_shared(const int* x, int* y) {
  auto* const shared = reinterpret_cast<int*>(cuda::dynamic_shared());
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  shared[threadIdx.x] = x[i];
  __syncthreads();
  y[i] = shared[blockDim.x - 1 - threadIdx.x];
}

void reverse_without_barrier(const int* x, int* y) {
  auto* const shared = reinterpret_cast<int*>(cuda::dynamic_shared());
  shared[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

void indices(int* y) {
  y[((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x] +=
      static_cast<int>(blockIdx.x + 10 * blockIdx.y + 100 * blockIdx.z + 1000 * threadIdx.x);
}

void shuffles(int* y) {
  const int lane = lane_index();
  y[lane] = __shfl_sync(0xffffffff, lane, 5);
  y[32 + lane] = __shfl_xor_sync(0xffffffff, lane, 3);
  y[64 + lane] = __shfl_down_sync(0xffffffff, lane, 4, 8);
  y[96 + lane] = __shfl_up_sync(0xffffffff, lane, 4, 8);
  y[128 + lane] = static_cast<int>(__ballot_sync(0xffffffff, lane % 2));
  y[160 + lane] = __any_sync(0xffffffff, lane == 3) + 2 * __all_sync(0xffffffff, lane < 32) +
                  4 * __all_sync(0xffffffff, lane < 31);
}

void counts(int* total, float* sum) {
  __shared__ int in_block;
  if (threadIdx.x == 0) in_block = 0;
  __syncthreads();
  atomicAdd(&in_block, 1);
  atomicAdd(sum, 0.5f);
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(total, in_block);
}

void barrier_for_some() {
  if (threadIdx.x != 7) __syncthreads();
}
void divergent_warp() {
  if (lane_index() < 16) {
    __syncwarp();
  } else {
    __shfl_sync(0xffffffff, 1, 0);
  }
}
void half_a_warp() {
  if (lane_index() < 16) __syncwarp();
}
void partial_mask() {
  __syncwarp(0xffff);
}

}  // namespace

TEST_CASE("emulation: blocks of threads with barriers, in either order") {
  std::vector<int> x(256);
  for (int i = 0; i < 256; ++i) x[static_cast<size_t>(i)] = i;
  for (const auto order : kOrders) {
    std::vector<int> y(256, -1);
    REQUIRE_EQ(emulate(order, reverse_through_shared, {{4}, 64, 64 * sizeof(int)}, x.data(), y.data()), "");
    for (int i = 0; i < 256; ++i) CHECK_EQ(y[static_cast<size_t>(i)], i / 64 * 64 + 63 - i % 64);
  }
}

TEST_CASE("emulation: a missing barrier gives results that depend on the order, NaN patterns among them") {
  std::vector<int> x(64, 1);
  std::vector<int> results[2];
  for (const size_t i : {0, 1}) {
    results[i].assign(64, 0);
    REQUIRE_EQ(emulate(kOrders[i], reverse_without_barrier, {{1}, 64, 64 * sizeof(int)}, x.data(),
                       results[i].data()),
               "");
  }
  CHECK(results[0] != results[1]);
  CHECK_EQ(results[0][0], -1);
  CHECK_EQ(results[1][63], -1);
}

TEST_CASE("emulation: each thread of each block once, with its indices") {
  for (const auto order : kOrders) {
    std::vector<int> y(2 * 3 * 4 * 32, 0);
    REQUIRE_EQ(emulate(order, indices, {{2, 3, 4}, 32}, y.data()), "");
    int i = 0;
    for (int block_z = 0; block_z < 4; ++block_z) {
      for (int block_y = 0; block_y < 3; ++block_y) {
        for (int block_x = 0; block_x < 2; ++block_x) {
          for (int thread = 0; thread < 32; ++thread) {
            CHECK_EQ(y[static_cast<size_t>(i++)], block_x + 10 * block_y + 100 * block_z + 1000 * thread);
          }
        }
      }
    }
  }
}

TEST_CASE("emulation: shuffles and votes") {
  for (const auto order : kOrders) {
    std::vector<int> y(192, -1);
    REQUIRE_EQ(emulate(order, shuffles, {{1}, 32}, y.data()), "");
    for (int lane = 0; lane < 32; ++lane) {
      const auto got = [&](int row) { return y[static_cast<size_t>(32 * row + lane)]; };
      CHECK_EQ(got(0), 5);
      CHECK_EQ(got(1), lane ^ 3);
      CHECK_EQ(got(2), lane % 8 < 4 ? lane + 4 : lane);
      CHECK_EQ(got(3), lane % 8 >= 4 ? lane - 4 : lane);
      CHECK_EQ(static_cast<uint32_t>(got(4)), 0xaaaaaaaa);
      CHECK_EQ(got(5), 3);
    }
  }
}

TEST_CASE("emulation: static shared memory and atomics") {
  int total = 0;
  float sum = 0;
  REQUIRE_EQ(emulate(kOrders[0], counts, {{3}, 96}, &total, &sum), "");
  CHECK_EQ(total, 288);
  CHECK_EQ(sum, 144);
}

TEST_CASE("emulation: mistakes of kernels become messages") {
  const auto message = [](void (*kernel)()) { return emulate(kOrders[0], kernel, {{1}, 64}); };
  const std::string missing = message(barrier_for_some);
  CHECK(contains(missing, "kernel, block [0, 0, 0]: no thread can go on"));
  CHECK(contains(missing, "from thread 7 (warp 0, lane 7) on they have ended"));
  CHECK(contains(missing, "from thread 8 (warp 0, lane 8) on they wait in __syncthreads"));
  CHECK_EQ(message(divergent_warp),
           "kernel, block [0, 0, 0]: thread 16 (warp 0, lane 16) is in __shfl_sync while thread 0 (warp 0, "
           "lane 0) "
           "is in __syncwarp.");
  CHECK(contains(message(half_a_warp), "no thread can go on"));
  CHECK(contains(message(partial_mask), "only whole warps are emulated"));
}

TEST_CASE("emulation: launches that no device takes are refused") {
  int y = 0;
  CHECK(contains(emulate(kOrders[0], indices, {{1}, 33}, &y),
                 "expected whole warps, 32 to 1024 threads; got 33"));
  CHECK(contains(emulate(kOrders[0], indices, {{0}, 32}, &y), "expected a grid"));
  CHECK(contains(emulate(kOrders[0], indices, {{1, 65536}, 32}, &y), "expected a grid"));
  CHECK(contains(emulate(kOrders[0], indices, {{1}, 32, 300000}, &y), "expected at most 232448 bytes"));
}

}  // namespace ipai::test
