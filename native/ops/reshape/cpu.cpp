#include "ops/reshape/op.h"

#include <cstring>

#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET::ops {
namespace {

using ipai::ops::Reshape;

std::string validate(const Reshape& reshape, const NodeTypes& types) {
  const TensorType& x = types.inputs[0];
  const TensorType& y = types.outputs[0];
  if (y.dtype != x.dtype) return "the output must have the dtype of x";
  if (Shape(reshape.shape.begin(), reshape.shape.end()) != y.shape) {
    return "the output's shape differs from the attribute's";
  }
  if (y.shape.size() != x.shape.size()) return "x and the output must have equally many elements";
  return "";
}

void run(const Reshape&, const NodeView& node, CpuContext&) {
  std::memcpy(node.output().data, node.input(0).data, node.output().dense_bytes());
}

}  // namespace

Op reshape() {
  CpuOpSpec<Reshape> spec;
  spec.is_view = true;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}

}  // namespace ipai::IPAI_TARGET::ops
