#include "cpu/copy_rows.h"
#include "ops/concat/op.h"

namespace ipai::IPAI_TARGET {
namespace {

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
  spec.validate = Concat::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
