// slice on CUDA.
#include "cuda/strided_copy.h"
#include "ops/slice/op.h"

namespace ipai::cuda {
namespace {

void record(const Slice& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(0);
  const int axis = static_cast<int>(attributes.axis);
  const int64_t step = x.shape.size(axis + 1);
  const int64_t length = step * attributes.length;
  const size_t element_bytes = dtype_size(x.dtype);
  LoopNest<2> nest;
  nest.add_axis(x.shape.size(0, axis), {length, x.shape.size(axis)});
  nest.add_axis(length, {1, 1});
  record_copy("slice", nest, x.as<std::byte>() + static_cast<size_t>(step * attributes.start) * element_bytes,
              node.output().data, element_bytes, encoder);
}

}  // namespace

namespace ops {
Op slice() {
  CudaOpSpec<Slice> spec;
  spec.validate = Slice::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
