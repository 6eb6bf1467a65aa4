#include "cpu/attention_layout.h"
#include "cpu/attention_tile.h"
#include "cpu/type_checks.h"
#include "cpu/with_dtype.h"
#include "ops/decoupled_attention/op.h"
#include "runtime/cpu_context.h"

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

template <class T>
int64_t tile_bytes(const DecoupledAttention& attributes, const Shape& q) {
  return static_cast<int64_t>(AttentionTile<T>::bytes(q[2] / attributes.heads, 2));
}

size_t scratch_bytes(const DecoupledAttention& attributes, const NodeTypes& types, int thread_count) {
  const TensorType& q = types.inputs[kQ];
  int64_t bytes = 0;
  with_compute(q.dtype, [&](auto element) { bytes = tile_bytes<decltype(element)>(attributes, q.shape); });
  return static_cast<size_t>(bytes * thread_count);
}

template <class T>
void attend_all(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& q = node.input(kQ);
  const int64_t heads = attributes.heads;
  const int64_t channels = q.shape[2];
  const int64_t head_size = channels / heads;
  const int64_t bytes = tile_bytes<T>(attributes, q.shape);
  const AttentionTasks tasks(q.shape, attributes.heads, AttentionTile<T>::max_queries(head_size), Vec::kLanes);
  context.parallel_for(tasks.count(), [&](int64_t index, int thread) {
    const auto [sample, head, first_query, queries] = tasks.task(index);
    const auto source = [&, sample = sample, head = head](Input keys, Input values) {
      const TensorView& k = node.input(keys);
      return KeysAndValues<T>{head_begin(k.as<T>(), k.shape, sample, 0, head, heads),
                              head_begin(node.input(values).as<T>(), k.shape, sample, 0, head, heads),
                              channels, k.shape[1]};
    };
    AttentionTile<T> tile(context.scratch() + thread * bytes, head_size, 2, attributes.scale);
    tile.load_queries(head_begin(q.as<T>(), q.shape, sample, first_query, head, heads), channels, queries);
    tile.attend(source(kK, kV), ScoreMask(), 0, 1);
    const float image_scale = node.input(kImageScale).as<float>()[sample];
    if (image_scale != 0) tile.attend(source(kImageK, kImageV), ScoreMask(), 1, image_scale);
    tile.write(head_begin(node.output().as<T>(), q.shape, sample, first_query, head, heads), channels,
               image_scale != 0 ? 2 : 1);
  });
}

void run(const DecoupledAttention& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { attend_all<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
CpuOp decoupled_attention() {
  CpuOpSpec<DecoupledAttention> spec;
  spec.in_place_inputs = {kQ};  // a task reads its queries before it writes their results, and nobody else's
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
