// Bound by memory: state and gradient are read once, and the state written once.
#include <cmath>

#include "cpu/map.h"
#include "ops/adamw/op.h"
#include "runtime/cpu_context.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kState, kGradient, kStep };

std::string validate(const AdamW& attributes, const NodeTypes& types) {
  const TensorType& state = types.inputs[kState];
  if (state.absent || state.dtype != DType::kFloat32 || state.shape.rank() < 1 || state.shape[0] != 3 ||
      is_empty(state.shape)) {
    return mismatch("state", "float32 [3, ...]", state);
  }
  if (!(attributes.epsilon > 0)) {
    return "epsilon: expected more than 0; got " + std::to_string(attributes.epsilon);
  }
  std::vector<int64_t> extents;
  for (int axis = 1; axis < state.shape.rank(); ++axis) extents.push_back(state.shape[axis]);
  std::string error = check_type("gradient", types.inputs[kGradient], DType::kFloat32, Shape(extents));
  if (error.empty()) {
    error = check_type("step", types.inputs[kStep], DType::kFloat32, Shape(std::vector<int64_t>{4}));
  }
  if (error.empty()) error = check_type("output", types.outputs[0], DType::kFloat32, state.shape);
  return error;
}

Vec square_root(Vec x) {
  alignas(64) float lanes[Vec::kLanes];
  x.store(lanes);
  for (float& lane : lanes) lane = std::sqrt(lane);
  return Vec::load(lanes);
}

// A vector's step; `step` as in op.h.
struct Update {
  Update(const AdamW& attributes, const float* step)
      : keep1(Vec::broadcast(attributes.beta1)),
        take1(Vec::broadcast(1 - attributes.beta1)),
        keep2(Vec::broadcast(attributes.beta2)),
        take2(Vec::broadcast(1 - attributes.beta2)),
        epsilon(Vec::broadcast(attributes.epsilon)),
        decay(Vec::broadcast(1 - step[0] * attributes.weight_decay)),
        rate(Vec::broadcast(step[0] / step[1])),
        root(Vec::broadcast(1 / std::sqrt(step[2]))),
        factor(Vec::broadcast(step[3])) {}

  void operator()(Vec gradient, Vec& weight, Vec& mean, Vec& square) const {
    const Vec g = gradient * factor;
    mean = fma(mean, keep1, g * take1);
    square = fma(square, keep2, g * g * take2);
    weight = weight * decay - rate * mean / fma(square_root(square), root, epsilon);
  }

  Vec keep1, take1, keep2, take2, epsilon, decay, rate, root, factor;
};

void run(const AdamW& attributes, const NodeView& node, CpuContext& context) {
  const float* const state = node.input(kState).as<float>();
  const float* const gradient = node.input(kGradient).as<float>();
  float* const result = node.output().as<float>();
  const int64_t count = node.output().shape.size() / 3;
  const Update update(attributes, node.input(kStep).as<float>());
  context.parallel_ranges(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
    int64_t i = begin;
    for (; i + Vec::kLanes <= end; i += Vec::kLanes) {
      Vec weight = Vec::load(state + i), mean = Vec::load(state + count + i);
      Vec square = Vec::load(state + 2 * count + i);
      update(Vec::load(gradient + i), weight, mean, square);
      weight.store(result + i);
      mean.store(result + count + i);
      square.store(result + 2 * count + i);
    }
    const int rest = static_cast<int>(end - i);
    if (rest == 0) return;
    Vec weight = load_partial(state + i, rest), mean = load_partial(state + count + i, rest);
    Vec square = load_partial(state + 2 * count + i, rest);
    update(load_partial(gradient + i, rest), weight, mean, square);
    store_partial(result + i, weight, rest);
    store_partial(result + count + i, mean, rest);
    store_partial(result + 2 * count + i, square, rest);
  });
}

}  // namespace

namespace ops {
Op adamw() {
  CpuOpSpec<AdamW> spec;
  spec.in_place_inputs = {kState};
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
