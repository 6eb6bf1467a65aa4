// cast on CUDA: bound by memory. A thread takes 8 elements, which are whole vectors of 16 bytes on both
// sides.
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"
#include "ops/cast/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kLanes = 8;

template <class From, class To>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    cast_kernel(const From* x, To* y, int64_t count) {
  grid_loop((count + kLanes - 1) / kLanes, [&](int64_t i) {
    const int64_t first = i * kLanes;
    float lanes[kLanes];
    load_lanes(x + first, count - first, lanes);
    store_lanes(y + first, count - first, lanes);
  });
}

template <class From>
void record_from(const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using To = decltype(element);
    const int64_t count = node.output().shape.size();
    const LaunchShape shape = loop_shape(ceil_divide(count, kLanes), encoder.device());
    encoder.launch("cast", cast_kernel<From, To>, shape, node.input(0).as<const From>(),
                   node.output().as<To>(), count);
  });
}

void record(const Cast&, const NodeView& node, CudaEncoder& encoder) {
  if (node.input(0).dtype == DType::kInt32) return record_from<int32_t>(node, encoder);
  with_element(node.input(0).dtype, [&](auto from) { record_from<decltype(from)>(node, encoder); });
}

}  // namespace

namespace ops {
Op cast() {
  CudaOpSpec<Cast> spec;
  spec.validate = Cast::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
