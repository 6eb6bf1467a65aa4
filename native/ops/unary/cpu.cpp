#include <cmath>

#include "cpu/map.h"
#include "cpu/math.h"
#include "cpu/with_dtype.h"
#include "ops/unary/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

template <Vec (*Function)(Vec), class T>
void map_all(const T* x, T* y, int64_t count, CpuContext& context) {
  context.parallel_ranges(count, kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
    map(x + begin, y + begin, end - begin, [](Vec v) { return Function(v); });
  });
}

// By the C library, element by element: only losses call these, on few elements.
template <float (*Function)(float)>
Vec map_lanes(Vec x) {
  float lanes[Vec::kLanes];
  x.store(lanes);
  for (float& lane : lanes) lane = Function(lane);
  return Vec::load(lanes);
}

float exponential(float x) {
  return std::exp(x);
}
float logarithm(float x) {
  return std::log(x);
}
float reciprocal_root(float x) {
  return 1 / std::sqrt(x);
}

void run(const Unary& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.input(0).dtype, [&](auto element) {
    using T = decltype(element);
    const T* const x = node.input(0).as<T>();
    T* const y = node.output().as<T>();
    const int64_t count = node.output().shape.size();
    switch (attributes.kind) {
      case Unary::Kind::kSilu:
        return map_all<silu>(x, y, count, context);
      case Unary::Kind::kGelu:
        return map_all<gelu>(x, y, count, context);
      case Unary::Kind::kQuickGelu:
        return map_all<quick_gelu>(x, y, count, context);
      case Unary::Kind::kExp:
        return map_all<map_lanes<exponential>>(x, y, count, context);
      case Unary::Kind::kLog:
        return map_all<map_lanes<logarithm>>(x, y, count, context);
      case Unary::Kind::kRsqrt:
        return map_all<map_lanes<reciprocal_root>>(x, y, count, context);
    }
  });
}

}  // namespace

namespace ops {
Op unary() {
  CpuOpSpec<Unary> spec;
  spec.in_place_inputs = {0};
  spec.validate = Unary::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
