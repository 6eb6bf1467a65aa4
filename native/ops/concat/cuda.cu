// concat on CUDA.
#include "cuda/strided_copy.h"
#include "ops/concat/op.h"

namespace ipai::cuda {
namespace {

void record(const Concat& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& y = node.output();
  const int axis = static_cast<int>(attributes.axis);
  const size_t element_bytes = dtype_size(y.dtype);
  std::byte* target = y.as<std::byte>();
  for (int i = 0; i < node.input_count; ++i) {
    const TensorView& part = node.input(i);
    const int64_t length = part.shape.size(axis);
    LoopNest<2> nest;
    nest.add_axis(part.shape.size(0, axis), {y.shape.size(axis), length});
    nest.add_axis(length, {1, 1});
    record_copy("concat", nest, part.data, target, element_bytes, encoder);
    target += static_cast<size_t>(length) * element_bytes;
  }
}

}  // namespace

namespace ops {
Op concat() {
  CudaOpSpec<Concat> spec;
  spec.validate = Concat::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
