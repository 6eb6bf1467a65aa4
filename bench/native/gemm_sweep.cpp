// Times products of the UNet's, CLIP's and the adapter's shapes on a GPU with every tile and split of their depth, by the
// kernels of compute capability 8.0 and by the device's own, as CSV:
// what the cost model of cuda/gemm_plan.h is fitted to. Each time is the median of a graph's replays, in microseconds of
// one product of 20 in a row.
//
//   gemm_sweep > FILE
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cuda/gemm.h"

namespace ipai::cuda {
namespace {

constexpr int kProducts = 20;
constexpr int kReplays = 7;
constexpr size_t kScratchBytes = size_t{256} << 20;

void expect(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", doing, cudaGetErrorString(error));
  std::exit(1);
}

struct Shape {
  int64_t batch, size, channels, columns, kernel;
};

// Linear layers and 1x1 convolutions have pictures of size x size rows; of texts and tokens, rows x 1.
constexpr Shape kShapes[] = {
    // UNet, two branches: attention, feed-forward, projections and shortcuts
    {2, 64, 320, 320, 1}, {2, 64, 320, 2560, 1}, {2, 64, 1280, 320, 1}, {2, 64, 640, 320, 1}, {2, 64, 960, 320, 1},
    {2, 32, 640, 640, 1}, {2, 32, 640, 5120, 1}, {2, 32, 2560, 640, 1}, {2, 32, 320, 640, 1}, {2, 32, 1280, 640, 1},
    {2, 32, 1920, 640, 1}, {2, 16, 1280, 1280, 1}, {2, 16, 1280, 10240, 1}, {2, 16, 5120, 1280, 1},
    {2, 16, 640, 1280, 1}, {2, 16, 2560, 1280, 1}, {2, 8, 1280, 1280, 1}, {2, 8, 1280, 10240, 1},
    {2, 8, 5120, 1280, 1}, {2, 8, 2560, 1280, 1},
    // 3x3 convolutions
    {2, 64, 320, 320, 3}, {2, 64, 640, 320, 3}, {2, 64, 960, 320, 3}, {2, 32, 320, 640, 3}, {2, 32, 640, 640, 3},
    {2, 32, 960, 640, 3}, {2, 32, 1280, 640, 3}, {2, 32, 1920, 640, 3}, {2, 16, 640, 1280, 3},
    {2, 16, 1280, 1280, 3}, {2, 16, 1920, 1280, 3}, {2, 16, 2560, 1280, 3}, {2, 8, 1280, 1280, 3},
    {2, 8, 2560, 1280, 3}, {1, 64, 320, 320, 3}, {1, 32, 640, 640, 3}, {1, 16, 1280, 1280, 3},
    // batch 16
    {16, 64, 320, 320, 1}, {16, 32, 640, 640, 1}, {16, 16, 1280, 1280, 1}, {16, 16, 1280, 1280, 3},
    {16, 8, 1280, 1280, 3},
    // CLIP ViT-H/14 and CLIP-L; the adapter's queries and contexts: batch is the number of rows
    {257, 1, 1280, 1280, 1}, {257, 1, 1280, 5120, 1}, {257, 1, 5120, 1280, 1}, {77, 1, 768, 768, 1},
    {77, 1, 768, 3072, 1}, {77, 1, 3072, 768, 1}, {16, 1, 768, 768, 1}, {16, 1, 768, 3072, 1}, {16, 1, 3072, 768, 1},
    {273, 1, 768, 1536, 1}, {93, 1, 768, 1536, 1}, {1024, 1, 768, 768, 1}, {1024, 1, 768, 3072, 1},
    {17472, 1, 768, 1536, 1}, {2, 1, 1280, 20160, 1}};

GemmSizes sizes_of(const Shape& shape) {
  if (shape.size == 1) return dense_gemm(shape.batch, shape.channels, shape.columns, DType::kFloat16);
  const int64_t side = shape.size;
  ConvGeometry g{};
  g.batch = shape.batch;
  g.channels = shape.channels;
  g.out_channels = shape.columns;
  g.height = g.width = g.view_height = g.view_width = g.out_height = g.out_width = side;
  g.kernel_height = g.kernel_width = shape.kernel;
  g.stride = 1;
  g.top = g.left = shape.kernel / 2;
  return {g, shape.columns, DType::kFloat16};
}

void launch(const KernelLaunch& launch, cudaStream_t stream) {
  std::vector<void*> arguments;
  for (const size_t offset : launch.arguments.offsets)
    arguments.push_back(const_cast<std::byte*>(launch.arguments.bytes.data()) + offset);
  if (launch.shape.dynamic_shared_bytes > 48 * 1024) {
    expect(cudaFuncSetAttribute(launch.kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                static_cast<int>(launch.shape.dynamic_shared_bytes)),
           "allowing shared memory");
  }
  const LaunchShape& shape = launch.shape;
  expect(cudaLaunchKernel(launch.kernel, dim3(shape.grid.x, shape.grid.y, shape.grid.z), dim3(shape.threads),
                          arguments.data(), shape.dynamic_shared_bytes, stream),
         "launching");
}

double replay(cudaGraphExec_t graph, cudaStream_t stream) {
  cudaEvent_t begin = nullptr;
  cudaEvent_t end = nullptr;
  expect(cudaEventCreate(&begin), "making an event");
  expect(cudaEventCreate(&end), "making an event");
  std::vector<float> times;
  for (int i = 0; i < kReplays; ++i) {
    expect(cudaEventRecord(begin, stream), "recording");
    expect(cudaGraphLaunch(graph, stream), "replaying");
    expect(cudaEventRecord(end, stream), "recording");
    expect(cudaEventSynchronize(end), "running");
    float milliseconds = 0;
    expect(cudaEventElapsedTime(&milliseconds, begin, end), "reading");
    times.push_back(milliseconds);
  }
  (void)cudaEventDestroy(begin);
  (void)cudaEventDestroy(end);
  std::sort(times.begin(), times.end());
  return 1000.0 * times[kReplays / 2] / kProducts;
}

template <class T>
T* allocate(size_t bytes) {
  void* address = nullptr;
  expect(cudaMalloc(&address, bytes), "taking memory");
  expect(cudaMemset(address, 0x2c, bytes), "filling");  // 0.066 in float16: products of zeros run faster
  return static_cast<T*>(address);
}

class Sweep {
 public:
  Sweep() {
    expect(cudaStreamCreate(&stream_), "making a stream");
    cudaDeviceProp properties;
    expect(cudaGetDeviceProperties(&properties, 0), "describing the device");
    traits_ = {Device::kCuda, 1, properties.major * 10 + properties.minor, properties.multiProcessorCount,
               properties.sharedMemPerBlockOptin};
    scratch_ = allocate<std::byte>(kScratchBytes);
  }

  void run(const Shape& shape) {
    const GemmSizes sizes = sizes_of(shape);
    const auto rows = static_cast<size_t>(sizes.geometry.rows());
    auto* const x = allocate<Float16>(2 * static_cast<size_t>(sizes.pixels() * shape.channels));
    auto* const weight = allocate<Float16>(sizes.weight_bytes());
    auto* const bias = allocate<float>(4 * static_cast<size_t>(shape.columns));
    auto* const y = allocate<Float16>(2 * rows * static_cast<size_t>(shape.columns));
    Epilogue<Float16> epilogue;
    epilogue.output = y;
    epilogue.outputs = static_cast<int>(shape.columns);
    epilogue.bias = bias;
    for (const GemmTileSize& tile : kWarpTiles) run_tile(sizes, tile, 80, x, weight, epilogue);
    if (has_group_products(traits_)) {
      for (const GemmTileSize& tile : kGroupTiles) run_tile(sizes, tile, 90, x, weight, epilogue);
    }
    std::fflush(stdout);
    for (void* const address : {static_cast<void*>(x), static_cast<void*>(weight), static_cast<void*>(bias),
                                static_cast<void*>(y)})
      expect(cudaFree(address), "freeing");
  }

 private:
  void run_tile(const GemmSizes& sizes, const GemmTileSize& tile, int capability, const Float16* x,
                const Float16* weight, const Epilogue<Float16>& epilogue) {
    DeviceTraits device = traits_;
    device.compute_capability = capability;
    const GemmPlan planned = sizes.plan(device);
    const auto steps = static_cast<int>(ceil_divide(sizes.depth_chunks(), kStepChunks));
    int last = 0;
    for (int wanted = 1; wanted <= std::min(16, steps); ++wanted) {
      const auto per_split = static_cast<int>(ceil_divide(steps, wanted));
      const auto splits = static_cast<int>(ceil_divide(steps, per_split));
      if (splits == last) continue;
      last = splits;
      const GemmPlan plan = {tile.shape, splits, per_split};
      if (sizes.scratch_bytes(plan) > kScratchBytes) continue;
      CudaEncoder encoder(device);
      encoder.set_scratch(scratch_);
      record_gemm<Float16>(sizes, plan, x, weight, epilogue, encoder);
      const bool is_planned = plan.tile == planned.tile && plan.splits == planned.splits;
      std::printf("%lld,%lld,%d,%d,%d,%d,%d,%d,%.3f,%d\n", static_cast<long long>(sizes.geometry.rows()),
                  static_cast<long long>(sizes.columns), steps, capability, tile.rows, tile.columns,
                  static_cast<int>(tile.shape), splits, time(encoder), is_planned ? 1 : 0);
    }
  }

  double time(const CudaEncoder& encoder) {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    expect(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
    for (int i = 0; i < kProducts; ++i) {
      for (const KernelLaunch& each : encoder.launches()) launch(each, stream_);
    }
    expect(cudaStreamEndCapture(stream_, &graph), "recording");
    expect(cudaGraphInstantiate(&executable, graph, 0), "making a graph");
    expect(cudaGraphLaunch(executable, stream_), "warming up");
    const double us = replay(executable, stream_);
    expect(cudaGraphExecDestroy(executable), "freeing");
    expect(cudaGraphDestroy(graph), "freeing");
    return us;
  }

  cudaStream_t stream_ = nullptr;
  DeviceTraits traits_;
  std::byte* scratch_ = nullptr;
};

}  // namespace
}  // namespace ipai::cuda

int main() {
  std::puts("rows,columns,steps,capability,tile_rows,tile_columns,shape,splits,us,planned");
  ipai::cuda::Sweep sweep;
  for (const auto& shape : ipai::cuda::kShapes) sweep.run(shape);
}
