// reshape on CUDA.
#include "cuda/strided_copy.h"
#include "ops/reshape/op.h"

namespace ipai::cuda {
namespace {

void record(const Reshape&, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(0);
  LoopNest<2> nest;
  nest.add_axis(x.shape.size(), {1, 1});
  record_copy("reshape", nest, x.data, node.output().data, dtype_size(x.dtype), encoder);
}

}  // namespace

namespace ops {
Op reshape() {
  CudaOpSpec<Reshape> spec;
  spec.is_view = true;
  spec.validate = Reshape::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
