#include "cpu/attention_loop.h"
#include "ops/decoupled_attention/op.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kQ, kK, kV, kImageK, kImageV, kImageScale };

std::string validate(const DecoupledAttention& attributes, const NodeTypes& types) {
  const TensorType& q = types.inputs[kQ];
  std::string error = check_attention(q, types.inputs[kK], types.inputs[kV], attributes.heads, "k", "v");
  if (error.empty()) {
    error = check_attention(q, types.inputs[kImageK], types.inputs[kImageV], attributes.heads, "image_k",
                            "image_v");
  }
  if (error.empty()) {
    const Shape samples(std::vector<int64_t>{q.shape[0]});
    error = check_type("image_scale", types.inputs[kImageScale], DType::kFloat32, samples);
  }
  return error.empty() ? check_type("output", types.outputs[0], q.dtype, q.shape) : error;
}

size_t scratch_bytes(const DecoupledAttention& attributes, const NodeTypes& types, int thread_count) {
  return attention_scratch_bytes(types.inputs[kQ], attributes.heads, 2, thread_count);
}

template <class T>
void attend_all(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  using Tile = AttentionTile<T>;
  const auto attend = [&](Tile& tile, const AttentionTasks::Task& task) {
    const auto source = [&](Input keys, Input values) {
      return keys_and_values<T>(node.input(keys), node.input(values), task, attributes.heads);
    };
    tile.attend(source(kK, kV), ScoreMask(), 0, 1);
    const float image_scale = node.input(kImageScale).as<float>()[task.sample];
    if (image_scale == 0) return 1;
    tile.attend(source(kImageK, kImageV), ScoreMask(), 1, image_scale);
    return 2;
  };
  attend_tiles<T>(node.input(kQ), node.output(), attributes.heads, attributes.scale, 2, context, attend);
}

void run(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op decoupled_attention() {
  CpuOpSpec<DecoupledAttention> spec;
  spec.in_place_inputs = {kQ};  // see attend_tiles
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
