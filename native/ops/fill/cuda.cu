// fill on CUDA: bound by memory. A thread writes vectors of 16 bytes.
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"
#include "ops/fill/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks) fill_kernel(T* y, int64_t count, float value) {
  constexpr int kLanes = Vector<T>::kLanes;
  float lanes[kLanes];
#pragma unroll
  for (float& lane : lanes) lane = value;
  grid_loop((count + kLanes - 1) / kLanes,
            [&](int64_t i) { store_lanes(y + i * kLanes, count - i * kLanes, lanes); });
}

void record(const Fill& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(attributes.dtype, [&](auto element) {
    using T = decltype(element);
    const int64_t count = node.output().shape.size();
    const LaunchShape shape = loop_shape(ceil_divide(count, Vector<T>::kLanes), encoder.device());
    encoder.launch("fill", fill_kernel<T>, shape, node.output().as<T>(), count, attributes.value);
  });
}

}  // namespace

namespace ops {
Op fill() {
  CudaOpSpec<Fill> spec;
  spec.validate = Fill::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
