// Bound by memory: state and gradient are read once, and the state written once.
#include <cmath>

#include "cpu/map.h"
#include "ops/adamw/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

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
  const float* const state = node.input(AdamW::kState).as<float>();
  const float* const gradient = node.input(AdamW::kGradient).as<float>();
  float* const result = node.output().as<float>();
  const int64_t count = node.output().shape.size() / 3;
  const Update update(attributes, node.input(AdamW::kStep).as<float>());
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
  spec.in_place_inputs = {AdamW::kState};
  spec.validate = AdamW::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
