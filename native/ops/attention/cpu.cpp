#include "cpu/attention_layout.h"
#include "cpu/attention_tile.h"
#include "cpu/type_checks.h"
#include "cpu/with_dtype.h"
#include "ops/attention/op.h"
#include "runtime/cpu_context.h"

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

template <class T>
int64_t tile_bytes(const Attention& attributes, const Shape& q) {
  return static_cast<int64_t>(AttentionTile<T>::bytes(q[2] / attributes.heads, 1));
}

size_t scratch_bytes(const Attention& attributes, const NodeTypes& types, int thread_count) {
  const TensorType& q = types.inputs[kQ];
  int64_t bytes = 0;
  with_compute(q.dtype, [&](auto element) { bytes = tile_bytes<decltype(element)>(attributes, q.shape); });
  return static_cast<size_t>(bytes * thread_count);
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
  const TensorView& q = node.input(kQ);
  const TensorView& k = node.input(kK);
  const int64_t heads = attributes.heads;
  const int64_t channels = q.shape[2];
  const int64_t head_size = channels / heads;
  const int64_t bytes = tile_bytes<T>(attributes, q.shape);
  const AttentionTasks tasks(q.shape, attributes.heads, AttentionTile<T>::max_queries(head_size), Vec::kLanes);
  context.parallel_for(tasks.count(), [&](int64_t index, int thread) {
    const auto [sample, head, first_query, queries] = tasks.task(index);
    AttentionTile<T> tile(context.scratch() + thread * bytes, head_size, 1, attributes.scale);
    tile.load_queries(head_begin(q.as<T>(), q.shape, sample, first_query, head, heads), channels, queries);
    const KeysAndValues<T> source{head_begin(k.as<T>(), k.shape, sample, 0, head, heads),
                                  head_begin(node.input(kV).as<T>(), k.shape, sample, 0, head, heads),
                                  channels, k.shape[1]};
    tile.attend(source, mask_of(attributes, node.input(kMask), sample, first_query), 0, 1);
    tile.write(head_begin(node.output().as<T>(), q.shape, sample, first_query, head, heads), channels, 1);
  });
}

void run(const Attention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
CpuOp attention() {
  CpuOpSpec<Attention> spec;
  spec.in_place_inputs = {kQ};  // a task reads its queries before it writes their results, and nobody else's
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
