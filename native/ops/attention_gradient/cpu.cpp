#include <limits>

#include "cpu/attention_gradient.h"
#include "cpu/with_dtype.h"
#include "ops/attention_gradient/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

AttentionGradientShape shape_of(const AttentionGradient& attributes, const TensorType& q,
                                const TensorType& k) {
  return {q.shape[1], k.shape[1], q.shape[2] / attributes.heads};
}

size_t scratch_bytes(const AttentionGradient& attributes, const NodeTypes& types, int thread_count) {
  const int64_t floats =
      shape_of(attributes, types.inputs[AttentionGradient::kQ], types.inputs[AttentionGradient::kK])
          .scratch_floats();
  return static_cast<size_t>(floats * thread_count) * sizeof(float);
}

struct Mask {
  const float* added;  // of the sample; may be null
  int64_t stride;      // from query to query
  bool causal;

  bool exists() const { return added != nullptr || causal; }
  float operator()(int64_t query, int64_t key) const {
    if (causal && key > query) return -std::numeric_limits<float>::infinity();
    return added == nullptr ? 0.0f : added[query * stride + key];
  }
};

Mask mask_of(const AttentionGradient& attributes, const TensorView& mask, int64_t sample) {
  if (mask.absent) return {nullptr, 0, attributes.causal};
  const int64_t keys = mask.shape[2];
  const int64_t first_row = mask.shape[0] == 1 ? 0 : sample * mask.shape[1];
  return {mask.as<float>() + first_row * keys, mask.shape[1] == 1 ? 0 : keys, attributes.causal};
}

template <class T>
void run_heads(const AttentionGradient& attributes, const NodeView& node, CpuContext& context) {
  const AttentionGradientShape shape =
      shape_of(attributes, node.input(AttentionGradient::kQ), node.input(AttentionGradient::kK));
  const int64_t channels = node.input(AttentionGradient::kQ).shape[2];
  context.parallel_for(
      node.input(AttentionGradient::kQ).shape[0] * attributes.heads, [&](int64_t task, int thread) {
        const int64_t sample = task / attributes.heads;
        const int64_t first = task % attributes.heads * shape.head_size;
        const auto at = [&](int index, int64_t tokens) {
          return node.input(index).as<T>() + sample * tokens * channels + first;
        };
        T* const dq = node.output().as<T>() + sample * (shape.queries + 2 * shape.keys) * channels + first;
        T* const dk = dq + shape.queries * channels;
        using Head = AttentionGradientHead<T, Mask>;
        const typename Head::Operands operands = {at(AttentionGradient::kQ, shape.queries),
                                                  at(AttentionGradient::kK, shape.keys),
                                                  at(AttentionGradient::kV, shape.keys),
                                                  at(AttentionGradient::kOutput, shape.queries),
                                                  at(AttentionGradient::kGradient, shape.queries),
                                                  dq,
                                                  dk,
                                                  dk + shape.keys * channels,
                                                  channels};
        float* const scratch = reinterpret_cast<float*>(context.scratch()) + thread * shape.scratch_floats();
        Head(shape, attributes.scale, operands,
             mask_of(attributes, node.input(AttentionGradient::kMask), sample), scratch)
            .run();
      });
}

void run(const AttentionGradient& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype,
               [&](auto element) { run_heads<decltype(element)>(attributes, node, context); });
}

}  // namespace

namespace ops {
Op attention_gradient() {
  CpuOpSpec<AttentionGradient> spec;
  spec.validate = AttentionGradient::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
