// The product of native/cuda/gemm_kernel.h in every shape of tile, and which shape gets which product.
#include "cuda/gemm.h"

#include "conv_reference.h"
#include "emulate.h"
#include "ops/conv2d/op.h"

namespace ipai::test {
namespace {

using namespace cuda;  // NOLINT: device code under test

// Whose tensor cores are asked by single warps.
constexpr DeviceTraits kWarpDevice = {Device::kCuda, 1, 80, 132, 227 * 1024};

template <class T>
HostTensor run_plan(const ConvCase& c, const ConvInputs& in, DType dtype, const GemmPlan& plan,
                    const DeviceTraits& device, emulation::Order order) {
  const HostTensor packed = run_cuda("pack_conv2d", c.packing(dtype), {in.weight}, dtype, c.kernels());
  const auto attributes = std::static_pointer_cast<const Conv2d>(parse(cuda_op("conv2d"), c.attributes()));
  const GemmSizes sizes = {Conv2d::geometry_of(*attributes, in.x.type().shape, in.weight.type().shape),
                           c.outputs, dtype};
  const HostTensor output(dtype, c.output());
  const HostTensor scratch(DType::kFloat32, {static_cast<int64_t>(sizes.scratch_bytes(plan) / 4)});
  Epilogue<T> epilogue;
  epilogue.output = output.view().as<T>();
  epilogue.outputs = static_cast<int>(c.outputs);
  epilogue.bias = in.bias.view().as<const float>();
  epilogue.residual = in.residual.view().as<const T>();
  CudaEncoder encoder(device);
  encoder.set_scratch(scratch.data());
  record_gemm(sizes, plan, in.x.view().as<const T>(), packed.view().as<const T>(), epilogue, encoder);
  REQUIRE_EQ(emulation::run(encoder.launches(), order).message, "");
  return output;
}

// Two tiles, the second one ragged, either way.
template <class T>
void check_tile(const GemmTileSize& tile, int splits, int64_t columns, DType dtype,
                const DeviceTraits& device) {
  INFO(dtype_name(dtype), " ", tile.rows, "x", tile.columns, ", ", splits, " splits, capability ",
       device.compute_capability);
  const int64_t width = tile.rows / 8 + 1;
  // Depth of 9 x 72: taps begin within steps, and steps are more than any tile has stages.
  const ConvCase c = {1, 8, width, 72, columns, 3, 1, kSame, 0, 0, "none", 0, true};
  constexpr int kSteps = 11;
  const GemmPlan plan = {tile.shape, splits, (kSteps + splits - 1) / splits};
  const ConvInputs in(c, dtype);
  const HostTensor expected = run_cpu(c, in);
  const HostTensor got = run_plan<T>(c, in, dtype, plan, device, kOrders[0]);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance(c));
  CHECK_MESSAGE(run_plan<T>(c, in, dtype, plan, device, kOrders[1]).has_bits_of(got), "last thread first");
}

void check_both_types(const GemmTileSize& tile, const DeviceTraits& device) {
  check_tile<Float16>(tile, 1, tile.columns + 8, DType::kFloat16, device);
  check_tile<BFloat16>(tile, 3, tile.columns + 3, DType::kBFloat16, device);
}

std::string tile_text(GemmTileShape shape) {
  for (const GemmTileSize& tile : kWarpTiles) {
    if (tile.shape == shape) return std::to_string(tile.rows) + "x" + std::to_string(tile.columns);
  }
  return "128x160 pair";
}

// "128x160 / 2": the tile, splits of the depth.
std::string plan_text(int64_t rows, int64_t columns, int64_t depth, const DeviceTraits& device) {
  const GemmPlan plan = plan_gemm(rows, columns, depth / kChunk, device);
  return tile_text(plan.tile) + " / " + std::to_string(plan.splits);
}

}  // namespace

TEST_CASE("cuda gemm: every shape of tile, in one piece and split") {
  for (const GemmTileSize& tile : kWarpTiles) check_both_types(tile, kWarpDevice);
  for (const GemmTileSize& tile : kGroupTiles) check_both_types(tile, kCudaDevice);
}

TEST_CASE("cuda gemm: plans of the UNet's products at batch 2, by single warps") {
  const auto plan = [](int64_t rows, int64_t columns, int64_t depth) {
    return plan_text(rows, columns, depth, kWarpDevice);
  };
  CHECK_EQ(plan(8192, 320, 2880), "128x160 / 1");
  CHECK_EQ(plan(8192, 2560, 320), "256x128 / 1");
  CHECK_EQ(plan(8192, 320, 320), "128x160 / 1");
  CHECK_EQ(plan(2048, 640, 5760), "128x160 / 2");
  CHECK_EQ(plan(2048, 640, 640), "128x128 / 1");
  CHECK_EQ(plan(512, 1280, 11520), "128x160 / 4");
  CHECK_EQ(plan(512, 1280, 1280), "128x128 / 3");
  CHECK_EQ(plan(128, 1280, 11520), "128x128 / 13");
  CHECK_EQ(plan(154, 640, 768), "64x64 / 4");
  CHECK_EQ(plan(2, 1280, 1280), "64x64 / 5");
  CHECK_EQ(plan(8192, 4, 2880), "128x64 / 2");
}

TEST_CASE("cuda gemm: plans of the same products by warpgroups") {
  const auto plan = [](int64_t rows, int64_t columns, int64_t depth) {
    return plan_text(rows, columns, depth, kCudaDevice);
  };
  CHECK_EQ(plan(8192, 320, 2880), "128x160 / 1");
  CHECK_EQ(plan(8192, 2560, 320), "128x160 pair / 1");
  CHECK_EQ(plan(8192, 320, 320), "128x160 / 1");
  CHECK_EQ(plan(2048, 640, 5760), "128x160 / 2");
  CHECK_EQ(plan(2048, 640, 640), "64x64 / 1");
  CHECK_EQ(plan(512, 1280, 11520), "128x160 / 4");
  CHECK_EQ(plan(512, 1280, 1280), "64x64 / 1");
  CHECK_EQ(plan(128, 1280, 11520), "64x64 / 3");
}

TEST_CASE("cuda gemm: plans take no more shared memory than a block can have") {
  const DeviceTraits ada = {Device::kCuda, 1, 89, 128, 99 * 1024};
  CHECK_EQ(plan_text(8192, 320, 2880, ada), "128x128 / 2");
  CHECK_EQ(plan_text(8192, 2560, 320, ada), "128x128 / 1");
  CHECK_EQ(plan_text(128, 1280, 11520, ada), "128x128 / 12");
}

TEST_CASE("cuda gemm: sizes that the kernels' numbers cannot hold are refused") {
  CHECK_EQ(check_gemm_sizes(dense_gemm(1 << 20, 5120, 1280, DType::kFloat16)), "");
  CHECK_EQ(check_gemm_sizes(dense_gemm(int64_t{1} << 31, 8, 16, DType::kFloat16)),
           "x and weight: expected fewer than 2^31 output pixels, columns, and chunks of 8 channels; got "
           "2147483648, 16, and 2147483648 pixels of 8 channels");
  CHECK_NE(check_gemm_sizes(dense_gemm(1 << 20, 1 << 15, 8, DType::kFloat16)), "");
}

}  // namespace ipai::test
