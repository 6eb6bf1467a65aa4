// broadcast_to on CUDA.
#include "cuda/strided_copy.h"
#include "ops/broadcast_to/op.h"

namespace ipai::cuda {
namespace {

void record(const BroadcastTo&, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(0);
  const Shape& shape = node.output().shape;
  const auto strides = broadcast_strides(x.shape);
  LoopNest<2> nest;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    nest.add_axis(shape[axis], {shape.size(axis + 1), strides[static_cast<size_t>(axis)]});
  }
  record_copy("broadcast_to", nest, x.data, node.output().data, dtype_size(x.dtype), encoder);
}

}  // namespace

namespace ops {
Op broadcast_to() {
  CudaOpSpec<BroadcastTo> spec;
  spec.validate = BroadcastTo::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
