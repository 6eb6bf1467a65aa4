// pack_linear on CUDA: the layout is that of cuda/pack_weight.h.
#include "cuda/pack_weight.h"
#include "ops/pack_linear/op.h"

namespace ipai::cuda {
namespace {

size_t output_bytes(const PackLinear& attributes, const NodeTypes& types) {
  const Shape weight = PackLinear::packed_shape(attributes, types.inputs[0].shape);
  return packed_weight_bytes(attributes.dtype, weight[0], weight[1], 1);
}

void record(const PackLinear& attributes, const NodeView& node, CudaEncoder& encoder) {
  const auto pack = attributes.transposed ? record_pack_transposed_weight : record_pack_weight;
  pack(node.input(0), node.output(), attributes.glu, encoder);
}

}  // namespace

namespace ops {
Op pack_linear() {
  CudaOpSpec<PackLinear> spec;
  spec.validate = PackLinear::validate;
  spec.output_bytes = output_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
