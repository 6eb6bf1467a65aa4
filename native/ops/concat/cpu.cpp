#include "cpu/copy_rows.h"
#include "cpu/extents.h"
#include "ops/concat/op.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

std::string validate(const Concat& attributes, const NodeTypes& types) {
  if (types.inputs.empty()) return "parts: expected at least one; got none";
  const TensorType& first = types.inputs[0];
  if (attributes.axis >= static_cast<uint32_t>(first.shape.rank())) {
    return mismatch("parts[0]", "an axis " + std::to_string(attributes.axis), first);
  }
  const int axis = static_cast<int>(attributes.axis);
  int64_t extent = 0;
  for (size_t i = 0; i < types.inputs.size(); ++i) {
    const TensorType& part = types.inputs[i];
    const std::string name = "parts[" + std::to_string(i) + "]";
    if (part.absent || is_empty(part.shape)) return mismatch(name, "a tensor with elements", part);
    if (part.dtype != first.dtype || part.shape.rank() != first.shape.rank() ||
        with_extent(part.shape, axis, 1) != with_extent(first.shape, axis, 1)) {
      return mismatch(name, describe(first) + " but for axis " + std::to_string(axis), part);
    }
    extent += part.shape[axis];
  }
  return check_type("output", types.outputs[0], first.dtype, with_extent(first.shape, axis, extent));
}

void run(const Concat& attributes, const NodeView& node, CpuContext& context) {
  const int axis = static_cast<int>(attributes.axis);
  const auto row_bytes = [&](const TensorView& tensor) {
    return tensor.shape.size(axis) * static_cast<int64_t>(dtype_size(tensor.dtype));
  };
  std::byte* target = node.output().as<std::byte>();
  for (int i = 0; i < node.input_count; ++i) {
    const TensorView& part = node.input(i);
    const int64_t bytes = row_bytes(part);
    copy_rows(
        {part.as<std::byte>(), bytes, target, row_bytes(node.output()), bytes, part.shape.size(0, axis)},
        context);
    target += bytes;
  }
}

}  // namespace

namespace ops {
Op concat() {
  CpuOpSpec<Concat> spec;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
