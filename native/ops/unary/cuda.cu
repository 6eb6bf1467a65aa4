// unary on CUDA: bound by memory. A thread takes one vector of 16 bytes, and the last ones the elements that
// are left.
#include "cuda/activation.h"
#include "cuda/grid.h"
#include "cuda/vector.h"
#include "cuda/with_element.h"
#include "ops/unary/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 256;

template <Unary::Kind kKind>
__device__ float apply(float x) {
  if constexpr (kKind == Unary::Kind::kSilu) return silu(x);
  if constexpr (kKind == Unary::Kind::kGelu) return gelu(x);
  if constexpr (kKind == Unary::Kind::kQuickGelu) return quick_gelu(x);
  if constexpr (kKind == Unary::Kind::kExp) return expf(x);
  if constexpr (kKind == Unary::Kind::kLog) return logf(x);
  if constexpr (kKind == Unary::Kind::kRsqrt) return 1 / sqrtf(x);
}

// x and y may be the same.
template <class T, Unary::Kind kKind>
__global__ void __launch_bounds__(kThreads) unary_kernel(const T* x, T* y, int64_t count) {
  constexpr int kLanes = Vector<T>::kLanes;
  const int64_t first = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) * kLanes;
  if (first + kLanes <= count) {
    float lanes[kLanes];
    Vector<T>::load(x + first).to_floats(lanes);
#pragma unroll
    for (int i = 0; i < kLanes; ++i) lanes[i] = apply<kKind>(lanes[i]);
    Vector<T>::from_floats(lanes).store(y + first);
  } else {
    for (int64_t i = first; i < count; ++i) y[i] = from_float<T>(apply<kKind>(to_float(x[i])));
  }
}

template <class T, Unary::Kind kKind>
void record_kind(const NodeView& node, CudaEncoder& encoder) {
  const int64_t count = node.output().shape.size();
  const LaunchShape shape = {blocks_for(count, kThreads * Vector<T>::kLanes), kThreads};
  encoder.launch("unary", unary_kernel<T, kKind>, shape, node.input(0).as<const T>(), node.output().as<T>(),
                 count);
}

void record(const Unary& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    switch (attributes.kind) {
      case Unary::Kind::kSilu:
        return record_kind<T, Unary::Kind::kSilu>(node, encoder);
      case Unary::Kind::kGelu:
        return record_kind<T, Unary::Kind::kGelu>(node, encoder);
      case Unary::Kind::kQuickGelu:
        return record_kind<T, Unary::Kind::kQuickGelu>(node, encoder);
      case Unary::Kind::kExp:
        return record_kind<T, Unary::Kind::kExp>(node, encoder);
      case Unary::Kind::kLog:
        return record_kind<T, Unary::Kind::kLog>(node, encoder);
      case Unary::Kind::kRsqrt:
        return record_kind<T, Unary::Kind::kRsqrt>(node, encoder);
    }
  });
}

}  // namespace

namespace ops {
Op unary() {
  CudaOpSpec<Unary> spec;
  spec.in_place_inputs = {0};
  spec.validate = Unary::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
