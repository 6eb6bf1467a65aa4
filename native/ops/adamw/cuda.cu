// adamw on CUDA: bound by memory, state and gradient read once and the state written once. A thread takes one
// weight: the three parts of the state begin at multiples of 16 bytes for few counts only.
#include "cuda/grid.h"
#include "cuda/platform.h"
#include "ops/adamw/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 256;

struct State {
  const float* before;  // [3, count]: weights, means of gradients, means of their squares
  float* after;         // may be `before`
  int64_t count;
};

__global__ void __launch_bounds__(kThreads)
    adamw_kernel(const State state, const float* gradient, const float* step, const AdamW attributes) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= state.count) return;
  const float decay = 1 - step[0] * attributes.weight_decay;
  const float rate = step[0] / step[1];
  const float root = 1 / sqrtf(step[2]);
  const float factor = step[3];
  const float* const before = state.before + i;
  float* const after = state.after + i;
  const float g = gradient[i] * factor;
  const float mean = fmaf(before[state.count], attributes.beta1, g * (1 - attributes.beta1));
  const float square = fmaf(before[2 * state.count], attributes.beta2, g * g * (1 - attributes.beta2));
  after[0] = before[0] * decay - rate * mean / fmaf(sqrtf(square), root, attributes.epsilon);
  after[state.count] = mean;
  after[2 * state.count] = square;
}

void record(const AdamW& attributes, const NodeView& node, CudaEncoder& encoder) {
  const int64_t count = node.output().shape.size() / 3;
  const State state = {node.input(AdamW::kState).as<const float>(), node.output().as<float>(), count};
  encoder.launch("adamw", adamw_kernel, {blocks_for(count, kThreads), kThreads}, state,
                 node.input(AdamW::kGradient).as<const float>(), node.input(AdamW::kStep).as<const float>(),
                 attributes);
}

}  // namespace

namespace ops {
Op adamw() {
  CudaOpSpec<AdamW> spec;
  spec.in_place_inputs = {AdamW::kState};
  spec.validate = AdamW::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
