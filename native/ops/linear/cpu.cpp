#include "cpu/dense_rows.h"
#include "cpu/extents.h"
#include "cpu/gemm.h"
#include "cpu/with_dtype.h"
#include "ops/linear/op.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kX, kWeight, kBias, kResidual };

std::string validate(const Linear& attributes, const NodeTypes& types) {
  const TensorType& x = types.inputs[kX];
  const TensorType& weight = types.inputs[kWeight];
  const bool glu = attributes.activation == Activation::kGeglu;
  if (x.absent || x.shape.rank() < 1 || is_empty(x.shape) || !is_compute(x.dtype)) {
    return mismatch("x", "float32 or bfloat16 [..., K]", x);
  }
  if (weight.absent || weight.shape.rank() != 2 || is_empty(weight.shape) || weight.dtype != x.dtype ||
      weight.shape[1] != x.shape[-1]) {
    const std::string depth = std::to_string(x.shape[-1]);
    return mismatch("weight", std::string("packed ") + dtype_name(x.dtype) + " [N, " + depth + "]", weight);
  }
  if (glu && weight.shape[0] % 2 != 0) {
    return mismatch("weight", "an even number of rows, as geglu pairs them", weight);
  }
  const int64_t rows = weight.shape[0];
  const Shape output = with_extent(x.shape, -1, glu ? rows / 2 : rows);
  std::string error =
      check_optional_type("bias", types.inputs[kBias], DType::kFloat32, Shape(std::vector<int64_t>{rows}));
  if (error.empty()) error = check_optional_type("residual", types.inputs[kResidual], x.dtype, output);
  if (error.empty()) error = check_type("output", types.outputs[0], x.dtype, output);
  return error;
}

PackedWeight layout_of(const Linear& attributes, const TensorType& weight) {
  return {weight.shape[0], weight.shape[1], attributes.activation == Activation::kGeglu,
          depth_unit(weight.dtype)};
}

size_t input_bytes(const Linear& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != kWeight) return input.dense_bytes();
  return static_cast<size_t>(layout_of(attributes, input).elements()) * dtype_size(input.dtype);
}

size_t scratch_bytes(const Linear& attributes, const NodeTypes& types, int thread_count) {
  const Shape& x = types.inputs[kX].shape;
  const PackedWeight weight = layout_of(attributes, types.inputs[kWeight]);
  const GemmPlan plan(types.inputs[kX].dtype, x.size(0, x.rank() - 1), weight, thread_count);
  return plan.scratch_bytes(thread_count);
}

void run(const Linear& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(kX);
  const PackedWeight weight = layout_of(attributes, node.input(kWeight));
  const GemmPlan plan(x.dtype, x.shape.size(0, x.shape.rank() - 1), weight, context.thread_count());
  with_compute(x.dtype, [&](auto element) {
    using T = decltype(element);
    Epilogue<T> epilogue;
    epilogue.output = node.output().as<T>();
    epilogue.outputs = weight.outputs();
    epilogue.bias = node.input(kBias).as<float>();
    epilogue.rows_per_sample = plan.rows;
    epilogue.residual = node.input(kResidual).as<T>();
    epilogue.activation = attributes.activation;
    const DenseRows<T> rows{x.as<T>(), weight.depth};
    run_gemm(plan, rows, weight, node.input(kWeight).as<T>(), epilogue, context);
  });
}

}  // namespace

namespace ops {
Op linear() {
  CpuOpSpec<Linear> spec;
  spec.in_place_inputs = {kResidual};
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
