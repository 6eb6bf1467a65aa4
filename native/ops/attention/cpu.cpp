#include "cpu/attention_loop.h"
#include "ops/attention/op.h"

namespace ipai::IPAI_TARGET {
namespace {

size_t scratch_bytes(const Attention& attributes, const NodeTypes& types, int thread_count) {
  return attention_scratch_bytes(types.inputs[Attention::kQ], attributes.heads, 1, thread_count);
}

ScoreMask mask_of(const Attention& attributes, const TensorView& mask, int64_t sample, int64_t first_query) {
  ScoreMask result;
  result.causal = attributes.causal;
  result.first_query = first_query;
  if (mask.absent) return result;
  const int64_t keys = mask.shape[2];
  result.added_stride = mask.shape[1] == 1 ? 0 : keys;
  const int64_t first_row = mask.shape[0] == 1 ? 0 : sample * mask.shape[1];
  result.added = mask.as<float>() + first_row * keys + first_query * result.added_stride;
  return result;
}

template <class T>
void attend_all(const Attention& attributes, const NodeView& node, CpuContext& context) {
  using Tile = AttentionTile<T>;
  const auto attend = [&](Tile& tile, const AttentionTasks::Task& task) {
    tile.attend(
        keys_and_values<T>(node.input(Attention::kK), node.input(Attention::kV), task, attributes.heads),
        mask_of(attributes, node.input(Attention::kMask), task.sample, task.first_query), 0, 1);
    return 1;
  };
  attend_tiles<T>(node.input(Attention::kQ), node.output(), attributes.heads, attributes.scale, 1, context,
                  attend);
}

void run(const Attention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op attention() {
  CpuOpSpec<Attention> spec;
  spec.in_place_inputs = {Attention::kQ};  // see attend_tiles
  spec.validate = Attention::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
