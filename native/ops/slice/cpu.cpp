#include "cpu/copy_rows.h"
#include "cpu/extents.h"
#include "ops/slice/op.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

std::string validate(const Slice& attributes, const NodeTypes& types) {
  const TensorType& x = types.inputs[0];
  if (x.absent || is_empty(x.shape) || attributes.axis >= static_cast<uint32_t>(x.shape.rank())) {
    return mismatch("x", "an axis " + std::to_string(attributes.axis), x);
  }
  const int axis = static_cast<int>(attributes.axis);
  const int64_t end = int64_t{attributes.start} + attributes.length;
  if (attributes.length < 1 || end > x.shape[axis]) {
    return mismatch("x",
                    "an axis " + std::to_string(axis) + " that holds [" + std::to_string(attributes.start) +
                        ", " + std::to_string(end) + "), not empty",
                    x);
  }
  return check_type("output", types.outputs[0], x.dtype, with_extent(x.shape, axis, attributes.length));
}

void run(const Slice& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(0);
  const int axis = static_cast<int>(attributes.axis);
  const int64_t step = x.shape.size(axis + 1) * static_cast<int64_t>(dtype_size(x.dtype));
  const int64_t row_bytes = step * attributes.length;
  copy_rows({x.as<std::byte>() + step * attributes.start, step * x.shape[axis], node.output().as<std::byte>(),
             row_bytes, row_bytes, x.shape.size(0, axis)},
            context);
}

}  // namespace

namespace ops {
Op slice() {
  CpuOpSpec<Slice> spec;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
