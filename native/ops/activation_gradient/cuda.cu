// activation_gradient on CUDA: bound by memory. A thread takes vectors of 16 bytes.
#include "cuda/activation.h"
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"
#include "ops/activation_gradient/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

using Kind = ActivationGradient::Kind;

template <Kind kKind>
__device__ float derivative(float x) {
  if constexpr (kKind == Kind::kSilu) return silu_derivative(x);
  if constexpr (kKind == Kind::kGelu) return gelu_derivative(x);
  if constexpr (kKind == Kind::kQuickGelu) return quick_gelu_derivative(x);
}

// y may be x or gradient.
template <class T, Kind kKind>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    activation_gradient_kernel(const T* x, const T* gradient, T* y, int64_t count) {
  constexpr int kLanes = Vector<T>::kLanes;
  grid_loop((count + kLanes - 1) / kLanes, [&](int64_t i) {
    const int64_t first = i * kLanes;
    float lanes[kLanes], gradients[kLanes];
    load_lanes(x + first, count - first, lanes);
    load_lanes(gradient + first, count - first, gradients);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) lanes[j] = gradients[j] * derivative<kKind>(lanes[j]);
    store_lanes(y + first, count - first, lanes);
  });
}

template <class T, Kind kKind>
void record_kind(const NodeView& node, CudaEncoder& encoder) {
  const int64_t count = node.output().shape.size();
  const LaunchShape shape = loop_shape(ceil_divide(count, Vector<T>::kLanes), encoder.device());
  encoder.launch("activation_gradient", activation_gradient_kernel<T, kKind>, shape,
                 node.input(ActivationGradient::kX).as<const T>(),
                 node.input(ActivationGradient::kGradient).as<const T>(), node.output().as<T>(), count);
}

void record(const ActivationGradient& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    switch (attributes.kind) {
      case Kind::kSilu:
        return record_kind<T, Kind::kSilu>(node, encoder);
      case Kind::kGelu:
        return record_kind<T, Kind::kGelu>(node, encoder);
      case Kind::kQuickGelu:
        return record_kind<T, Kind::kQuickGelu>(node, encoder);
    }
  });
}

}  // namespace

namespace ops {
Op activation_gradient() {
  CudaOpSpec<ActivationGradient> spec;
  spec.in_place_inputs = {ActivationGradient::kX, ActivationGradient::kGradient};
  spec.validate = ActivationGradient::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
