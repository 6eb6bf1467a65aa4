#include "cpu/dense_rows.h"
#include "cpu/gemm.h"
#include "cpu/with_dtype.h"
#include "ops/linear/op.h"

namespace ipai::IPAI_TARGET {
namespace {

PackedWeight layout_of(const Linear& attributes, const TensorType& weight) {
  return {weight.shape[0], weight.shape[1], attributes.activation == Activation::kGeglu,
          depth_unit(weight.dtype)};
}

size_t input_bytes(const Linear& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != Linear::kWeight) return input.dense_bytes();
  return static_cast<size_t>(layout_of(attributes, input).elements()) * dtype_size(input.dtype);
}

size_t scratch_bytes(const Linear& attributes, const NodeTypes& types, int thread_count) {
  const Shape& x = types.inputs[Linear::kX].shape;
  const PackedWeight weight = layout_of(attributes, types.inputs[Linear::kWeight]);
  const GemmPlan plan(types.inputs[Linear::kX].dtype, x.size(0, x.rank() - 1), weight, thread_count);
  return plan.scratch_bytes(thread_count);
}

void run(const Linear& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(Linear::kX);
  const PackedWeight weight = layout_of(attributes, node.input(Linear::kWeight));
  const GemmPlan plan(x.dtype, x.shape.size(0, x.shape.rank() - 1), weight, context.thread_count());
  with_compute(x.dtype, [&](auto element) {
    using T = decltype(element);
    Epilogue<T> epilogue;
    epilogue.outputs = weight.outputs();
    epilogue.bias = node.input(Linear::kBias).as<float>();
    epilogue.rows_per_sample = plan.rows;
    epilogue.write_to(node.output(), node.input(Linear::kResidual));
    epilogue.activation = attributes.activation;
    const DenseRows<T> rows{x.as<T>(), weight.depth};
    run_gemm(plan, rows, weight, node.input(Linear::kWeight).as<T>(), epilogue, context);
  });
}

}  // namespace

namespace ops {
Op linear() {
  CpuOpSpec<Linear> spec;
  spec.in_place_inputs = {Linear::kResidual};
  spec.validate = Linear::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
