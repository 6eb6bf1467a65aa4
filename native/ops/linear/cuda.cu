// linear on CUDA: the products of cuda/gemm.h. Bound by the tensor cores, by arithmetic in float32, and by
// memory where x has few rows.
#include "cuda/gemm.h"
#include "cuda/with_element.h"
#include "ops/linear/op.h"

namespace ipai::cuda {
namespace {

GemmSizes sizes_of(const TensorType& x, const TensorType& weight) {
  return dense_gemm(x.shape.size(0, x.shape.rank() - 1), weight.shape[1], weight.shape[0], x.dtype);
}

std::string validate(const Linear& attributes, const NodeTypes& types) {
  std::string error = Linear::validate(attributes, types);
  if (error.empty()) {
    error = check_gemm_sizes(sizes_of(types.inputs[Linear::kX], types.inputs[Linear::kWeight]));
  }
  return error;
}

size_t scratch_bytes(const Linear&, const NodeTypes& types) {
  const GemmSizes sizes = sizes_of(types.inputs[Linear::kX], types.inputs[Linear::kWeight]);
  return sizes.scratch_bytes(sizes.plan(types.device));
}

size_t input_bytes(const Linear&, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != Linear::kWeight) return input.dense_bytes();
  return sizes_of(types.inputs[Linear::kX], input).weight_bytes();
}

void record(const Linear& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(Linear::kX);
  const TensorView& weight = node.input(Linear::kWeight);
  const GemmSizes sizes = sizes_of(x, weight);
  with_element(x.dtype, [&](auto element) {
    using T = decltype(element);
    Epilogue<T> epilogue;
    epilogue.outputs = static_cast<int>(node.output().shape[-1]);
    epilogue.bias = node.input(Linear::kBias).as<const float>();
    epilogue.write_to(node.output(), node.input(Linear::kResidual));
    epilogue.activation = attributes.activation;
    record_gemm(sizes, sizes.plan(encoder.device()), x.as<const T>(), weight.as<const T>(), epilogue,
                encoder);
  });
}

}  // namespace

namespace ops {
Op linear() {
  CudaOpSpec<Linear> spec;
  spec.in_place_inputs = {Linear::kResidual};
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
