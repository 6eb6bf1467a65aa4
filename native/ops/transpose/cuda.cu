// transpose on CUDA.
#include "cuda/strided_copy.h"
#include "ops/transpose/op.h"

namespace ipai::cuda {
namespace {

void record(const Transpose& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(0);
  const Shape& shape = node.output().shape;
  LoopNest<2> nest;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const int source_axis = attributes.permutation[static_cast<size_t>(axis)];
    nest.add_axis(shape[axis], {shape.size(axis + 1), x.shape.size(source_axis + 1)});
  }
  record_copy("transpose", nest, x.data, node.output().data, dtype_size(x.dtype), encoder);
}

}  // namespace

namespace ops {
Op transpose() {
  CudaOpSpec<Transpose> spec;
  spec.validate = Transpose::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
