#include "ops/reshape/op.h"

#include <cstring>

#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

void run(const Reshape&, const NodeView& node, CpuContext&) {
  std::memcpy(node.output().data, node.input(0).data, node.output().dense_bytes());
}

}  // namespace

namespace ops {
Op reshape() {
  CpuOpSpec<Reshape> spec;
  spec.is_view = true;
  spec.validate = Reshape::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
