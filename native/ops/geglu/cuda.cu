// geglu on CUDA: bound by memory, and not far from it by erfc's arithmetic. A thread takes vectors of 16
// bytes where halves of rows begin at such vectors, else single elements.
#include "cuda/activation.h"
#include "cuda/grid_loop.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"
#include "ops/geglu/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

template <class T, int kCount>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    geglu_kernel(const T* x, T* y, int64_t rows, int64_t channels) {
  const int64_t parts = channels / kCount;
  grid_loop(rows * parts, [&](int64_t i) {
    const T* const value = x + (i + i / parts * parts) * kCount;  // after as many whole rows of two halves
    float values[kCount], gates[kCount];
    load_lanes(value, values);
    load_lanes(value + channels, gates);
#pragma unroll
    for (int j = 0; j < kCount; ++j) values[j] *= gelu(gates[j]);
    store_lanes(y + i * kCount, values);
  });
}

template <class T, int kCount>
void record_lanes(const NodeView& node, CudaEncoder& encoder) {
  const Shape& shape = node.output().shape;
  encoder.launch("geglu", geglu_kernel<T, kCount>, loop_shape(shape.size() / kCount, encoder.device()),
                 node.input(0).as<const T>(), node.output().as<T>(), shape.size() / shape[-1], shape[-1]);
}

void record(const Geglu&, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    constexpr int kLanes = Vector<T>::kLanes;
    if (node.output().shape[-1] % kLanes == 0) return record_lanes<T, kLanes>(node, encoder);
    record_lanes<T, 1>(node, encoder);
  });
}

}  // namespace

namespace ops {
Op geglu() {
  CudaOpSpec<Geglu> spec;
  spec.validate = Geglu::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
