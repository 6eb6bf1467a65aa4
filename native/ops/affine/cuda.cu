// affine on CUDA: bound by memory. A thread takes vectors of 16 bytes.
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"
#include "ops/affine/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// x and y may be the same.
template <class T>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    affine_kernel(const T* x, T* y, int64_t count, float scale, float offset) {
  constexpr int kLanes = Vector<T>::kLanes;
  grid_loop((count + kLanes - 1) / kLanes, [&](int64_t i) {
    const int64_t first = i * kLanes;
    float lanes[kLanes];
    load_lanes(x + first, count - first, lanes);
#pragma unroll
    for (float& lane : lanes) lane = fmaf(lane, scale, offset);
    store_lanes(y + first, count - first, lanes);
  });
}

void record(const Affine& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const int64_t count = node.output().shape.size();
    const LaunchShape shape = loop_shape(ceil_divide(count, Vector<T>::kLanes), encoder.device());
    encoder.launch("affine", affine_kernel<T>, shape, node.input(0).as<const T>(), node.output().as<T>(),
                   count, attributes.scale, attributes.offset);
  });
}

}  // namespace

namespace ops {
Op affine() {
  CudaOpSpec<Affine> spec;
  spec.in_place_inputs = {0};
  spec.validate = Affine::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
