#include "cpu/copy_rows.h"
#include "ops/slice/op.h"

namespace ipai::IPAI_TARGET {
namespace {

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
  spec.validate = Slice::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
