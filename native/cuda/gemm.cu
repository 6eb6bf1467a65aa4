#include "cuda/gemm.h"

#include "cuda/gemm_float32.h"
#include "cuda/gemm_kernel.h"
#include "cuda/gemm_splits.h"
#include "cuda/pad_channels.h"

namespace ipai::cuda {
namespace {

// `x` with whole chunks of channels: itself, or a copy in scratch memory.
template <class T>
const T* record_padding(const GemmSizes& sizes, const T* x, CudaEncoder& encoder) {
  if (sizes.padded_bytes() == 0) return x;
  T* const padded = reinterpret_cast<T*>(encoder.scratch());
  const int64_t chunks = sizes.pixels() * sizes.pixel_chunks();
  encoder.launch("gemm_pad_channels", gemm_pad_channels<T>, {blocks_for(chunks, kPadThreads), kPadThreads}, x,
                 padded, chunks, static_cast<int>(sizes.pixel_chunks()),
                 static_cast<int>(sizes.geometry.channels));
  return padded;
}

template <class Tile>
LaunchShape shape_of(const GemmSizes& sizes, int splits) {
  const int64_t tiles =
      ceil_divide(sizes.geometry.rows(), Tile::kRows) * ceil_divide(sizes.columns, Tile::kColumns);
  return {{static_cast<uint32_t>(tiles), static_cast<uint32_t>(splits)}, Tile::kThreads, Tile::kSharedBytes};
}

// Products whose depth may be split among blocks; x has whole chunks of channels.
template <class T>
void record_planned(const GemmSizes& sizes, const GemmPlan& plan, const GemmOperands<T>& operands,
                    const Epilogue<T>& epilogue, CudaEncoder& encoder) {
  if (has_group_products(encoder.device())) {
    with_group_tile(plan.tile, [&](auto tile) {
      using Tile = decltype(tile);
      encoder.launch("gemm_group_tiles", gemm_group_tiles<T, Tile>, shape_of<Tile>(sizes, plan.splits),
                     operands, epilogue);
    });
  } else {
    with_warp_tile(plan.tile, [&](auto tile) {
      using Tile = decltype(tile);
      encoder.launch("gemm_warp_tiles", gemm_warp_tiles<T, Tile>, shape_of<Tile>(sizes, plan.splits),
                     operands, epilogue);
    });
  }
  if (plan.splits == 1) return;
  const int64_t threads = sizes.geometry.rows() * ceil_divide(epilogue.outputs, kOutputLanes);
  const auto kernel = epilogue.columns_per_output() == 2 ? gemm_sum_splits<T, 2> : gemm_sum_splits<T, 1>;
  encoder.launch("gemm_sum_splits", kernel, {blocks_for(threads, kSumThreads), kSumThreads}, operands,
                 epilogue, plan.splits);
}

}  // namespace

template <class T>
void record_gemm(const GemmSizes& sizes, const GemmPlan& plan, const T* x, const T* weight,
                 const Epilogue<T>& epilogue, CudaEncoder& encoder) {
  GemmOperands<T> operands;
  operands.windows = window_rows(sizes.geometry);
  operands.picture = record_padding(sizes, x, encoder);
  operands.weight = weight;
  operands.columns = static_cast<int>(sizes.columns);
  operands.steps_per_split = plan.steps_per_split;
  operands.partial_sums =
      plan.splits > 1 ? reinterpret_cast<float*>(encoder.scratch() + sizes.padded_bytes()) : nullptr;
  operands.partial_stride = static_cast<int>(sizes.partial_stride());
  if constexpr (std::is_same_v<T, float>) {
    record_gemm_float32(operands, epilogue, encoder);
  } else {
    record_planned(sizes, plan, operands, epilogue, encoder);
  }
}

template void record_gemm(const GemmSizes&, const GemmPlan&, const float*, const float*,
                          const Epilogue<float>&, CudaEncoder&);
template void record_gemm(const GemmSizes&, const GemmPlan&, const Float16*, const Float16*,
                          const Epilogue<Float16>&, CudaEncoder&);
template void record_gemm(const GemmSizes&, const GemmPlan&, const BFloat16*, const BFloat16*,
                          const Epilogue<BFloat16>&, CudaEncoder&);

}  // namespace ipai::cuda
