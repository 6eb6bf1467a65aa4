#include "cpu/attention_loop.h"
#include "ops/decoupled_attention/op.h"

namespace ipai::IPAI_TARGET {
namespace {

size_t scratch_bytes(const DecoupledAttention& attributes, const NodeTypes& types, int thread_count) {
  return attention_scratch_bytes(types.inputs[DecoupledAttention::kQ], attributes.heads, 2, thread_count);
}

template <class T>
void attend_all(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  using Tile = AttentionTile<T>;
  const auto attend = [&](Tile& tile, const AttentionTasks::Task& task) {
    const auto source = [&](DecoupledAttention::Input keys, DecoupledAttention::Input values) {
      return keys_and_values<T>(node.input(keys), node.input(values), task, attributes.heads);
    };
    tile.attend(source(DecoupledAttention::kK, DecoupledAttention::kV), ScoreMask(), 0, 1);
    const float image_scale = node.input(DecoupledAttention::kImageScale).as<float>()[task.sample];
    if (image_scale == 0) return 1;
    tile.attend(source(DecoupledAttention::kImageK, DecoupledAttention::kImageV), ScoreMask(), 1,
                image_scale);
    return 2;
  };
  attend_tiles<T>(node.input(DecoupledAttention::kQ), node.output(), attributes.heads, attributes.scale, 2,
                  context, attend);
}

void run(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op decoupled_attention() {
  CpuOpSpec<DecoupledAttention> spec;
  spec.in_place_inputs = {DecoupledAttention::kQ};  // see attend_tiles
  spec.validate = DecoupledAttention::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
