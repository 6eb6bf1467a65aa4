// pack_conv2d on CUDA: the layout is that of cuda/pack_weight.h.
#include "cuda/conv_algorithm.h"
#include "cuda/pack_weight.h"
#include "ops/pack_conv2d/op.h"

namespace ipai::cuda {
namespace {

std::string validate(const PackConv2d& attributes, const NodeTypes& types) {
  std::string error = PackConv2d::validate(attributes, types);
  if (error.empty()) error = check_direct(attributes.algorithm);
  return error;
}

size_t output_bytes(const PackConv2d& attributes, const NodeTypes& types) {
  const Shape& weight = types.inputs[0].shape;
  return packed_weight_bytes(attributes.dtype, weight[0], weight[1], weight.size(2));
}

void record(const PackConv2d&, const NodeView& node, CudaEncoder& encoder) {
  record_pack_weight(node.input(0), node.output(), false, encoder);
}

}  // namespace

namespace ops {
Op pack_conv2d() {
  CudaOpSpec<PackConv2d> spec;
  spec.validate = validate;
  spec.output_bytes = output_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
