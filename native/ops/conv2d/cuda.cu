// conv2d on CUDA: an implicit product, by the kernels of cuda/gemm.h. Bound by the tensor cores, or in
// float32 by arithmetic.
#include "cuda/conv_algorithm.h"
#include "cuda/gemm.h"
#include "cuda/with_element.h"
#include "ops/conv2d/op.h"

namespace ipai::cuda {
namespace {

GemmSizes sizes_of(const Conv2d& attributes, const TensorType& x, const TensorType& weight) {
  const ConvGeometry geometry = Conv2d::geometry_of(attributes, x.shape, weight.shape);
  return {geometry, geometry.out_channels, x.dtype};
}

std::string validate(const Conv2d& attributes, const NodeTypes& types) {
  const TensorType& x = types.inputs[Conv2d::kX];
  std::string error = Conv2d::validate(attributes, types);
  if (error.empty()) error = check_direct(attributes.algorithm);
  if (error.empty()) error = check_gemm_sizes(sizes_of(attributes, x, types.inputs[Conv2d::kWeight]));
  return error;
}

size_t scratch_bytes(const Conv2d& attributes, const NodeTypes& types) {
  const GemmSizes sizes = sizes_of(attributes, types.inputs[Conv2d::kX], types.inputs[Conv2d::kWeight]);
  return sizes.scratch_bytes(sizes.plan(types.device));
}

size_t input_bytes(const Conv2d& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != Conv2d::kWeight) return input.dense_bytes();
  return sizes_of(attributes, types.inputs[Conv2d::kX], input).weight_bytes();
}

template <class T>
Epilogue<T> epilogue_of(const Conv2d& attributes, const NodeView& node) {
  const TensorView& output = node.output();
  const TensorView& sample_bias = node.input(Conv2d::kSampleBias);
  Epilogue<T> epilogue;
  epilogue.output = output.as<T>();
  epilogue.outputs = static_cast<int>(output.shape[3]);
  epilogue.bias = node.input(Conv2d::kBias).as<const float>();
  epilogue.sample_bias = sample_bias.as<const float>();
  epilogue.sample_bias_stride = sample_bias.shape[0] == 1 ? 0 : epilogue.outputs;
  epilogue.rows_per_sample = static_cast<int>(output.shape.size(1, 3));
  epilogue.residual = node.input(Conv2d::kResidual).as<const T>();
  epilogue.activation = attributes.activation;
  return epilogue;
}

void record(const Conv2d& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(Conv2d::kX);
  const TensorView& weight = node.input(Conv2d::kWeight);
  const GemmSizes sizes = sizes_of(attributes, x, weight);
  with_element(x.dtype, [&](auto element) {
    using T = decltype(element);
    record_gemm(sizes, sizes.plan(encoder.device()), x.as<const T>(), weight.as<const T>(),
                epilogue_of<T>(attributes, node), encoder);
  });
}

}  // namespace

namespace ops {
Op conv2d() {
  CudaOpSpec<Conv2d> spec;
  spec.in_place_inputs = {Conv2d::kResidual};
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
