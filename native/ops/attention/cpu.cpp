#include "cpu/attention_loop.h"
#include "ops/attention/op.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kQ, kK, kV, kMask };

std::string validate(const Attention& attributes, const NodeTypes& types) {
  const TensorType& q = types.inputs[kQ];
  const TensorType& k = types.inputs[kK];
  const std::string error = check_attention(q, k, types.inputs[kV], attributes.heads, "k", "v");
  if (!error.empty()) return error;
  const TensorType& mask = types.inputs[kMask];
  const bool fits =
      mask.absent || (mask.dtype == DType::kFloat32 && mask.shape.rank() == 3 &&
                      (mask.shape[0] == 1 || mask.shape[0] == q.shape[0]) &&
                      (mask.shape[1] == 1 || mask.shape[1] == q.shape[1]) && mask.shape[2] == k.shape[1]);
  if (!fits) {
    return mismatch("mask", "float32 [B or 1, Nq or 1, Nk] for q " + describe(q) + " and k " + describe(k),
                    mask);
  }
  return check_type("output", types.outputs[0], q.dtype, q.shape);
}

size_t scratch_bytes(const Attention& attributes, const NodeTypes& types, int thread_count) {
  return attention_scratch_bytes(types.inputs[kQ], attributes.heads, 1, thread_count);
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
    tile.attend(keys_and_values<T>(node.input(kK), node.input(kV), task, attributes.heads),
                mask_of(attributes, node.input(kMask), task.sample, task.first_query), 0, 1);
    return 1;
  };
  attend_tiles<T>(node.input(kQ), node.output(), attributes.heads, attributes.scale, 1, context, attend);
}

void run(const Attention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op attention() {
  CpuOpSpec<Attention> spec;
  spec.in_place_inputs = {kQ};  // see attend_tiles
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
