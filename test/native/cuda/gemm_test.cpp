// The product of native/cuda/gemm_kernel.h in every shape of tile, and which shape gets which product.
#include "cuda/gemm.h"

#include "conv_reference.h"
#include "emulate.h"
#include "ops/conv2d/op.h"

namespace ipai::test {
namespace {

using namespace cuda;  // NOLINT: device code under test

template <class T>
HostTensor run_plan(const ConvCase& c, const ConvInputs& in, DType dtype, const GemmPlan& plan,
                    emulation::Order order) {
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
  CudaEncoder encoder(kCudaDevice);
  encoder.set_scratch(scratch.data());
  record_gemm(sizes, plan, in.x.view().as<const T>(), packed.view().as<const T>(), epilogue, encoder);
  REQUIRE_EQ(emulation::run(encoder.launches(), order).message, "");
  return output;
}

// Two tiles, the second one ragged, either way.
template <class T>
void check_tile(GemmTileShape shape, int splits, int64_t columns, DType dtype) {
  const GemmTileSize tile = kGemmTiles[static_cast<int>(shape)];
  INFO(dtype_name(dtype), " ", tile.rows, "x", tile.columns, ", ", splits, " splits");
  const int64_t width = tile.rows / 8 + 1;
  // Depth of 9 x 72: taps begin within steps, and steps are more than any tile has stages.
  const ConvCase c = {1, 8, width, 72, columns, 3, 1, kSame, 0, 0, "none", 0, true};
  constexpr int kSteps = 11;
  const GemmPlan plan = {shape, splits, (kSteps + splits - 1) / splits};
  const ConvInputs in(c, dtype);
  const HostTensor expected = run_cpu(c, in);
  const HostTensor got = run_plan<T>(c, in, dtype, plan, kOrders[0]);
  CHECK_LT(worst_error(got, [&](int64_t i) { return expected.at(i); }), tolerance(c));
  CHECK_MESSAGE(run_plan<T>(c, in, dtype, plan, kOrders[1]).has_bits_of(got), "last thread first");
}

// "128x160 / 2": rows and columns of the tile, splits of the depth.
std::string plan_text(int64_t rows, int64_t columns, int64_t depth, const DeviceTraits& device) {
  const GemmPlan plan = plan_gemm(rows, columns, depth / kChunk, device);
  const GemmTileSize tile = kGemmTiles[static_cast<int>(plan.tile)];
  return std::to_string(tile.rows) + "x" + std::to_string(tile.columns) + " / " + std::to_string(plan.splits);
}

}  // namespace

TEST_CASE("cuda gemm: every shape of tile, in one piece and split") {
  for (size_t i = 0; i < std::size(kGemmTiles); ++i) {
    const auto shape = static_cast<GemmTileShape>(i);
    const int64_t columns = kGemmTiles[i].columns;
    check_tile<Float16>(shape, 1, columns + 8, DType::kFloat16);
    check_tile<BFloat16>(shape, 3, columns + 3, DType::kBFloat16);
  }
}

TEST_CASE("cuda gemm: plans of the UNet's products at batch 2") {
  const auto plan = [](int64_t rows, int64_t columns, int64_t depth) {
    return plan_text(rows, columns, depth, kCudaDevice);
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
