#include <algorithm>

#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/binary/op.h"
#include "runtime/cpu_context.h"
#include "runtime/loop_nest.h"

namespace ipai::IPAI_TARGET {
namespace {

LoopNest<2> nest_of(const Shape& a, const Shape& b, const Shape& output) {
  const auto a_strides = broadcast_strides(a);
  const auto b_strides = broadcast_strides(b);
  LoopNest<2> nest;
  for (int axis = 0; axis < output.rank(); ++axis) {
    const auto i = static_cast<size_t>(axis);
    nest.add_axis(output[axis], {a_strides[i], b_strides[i]});
  }
  return nest;
}

// A piece of a row, in which a or b may be one repeated element (stride 0).
template <class T, class Function>
void map_row(const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* y, int64_t count,
             Function function) {
  if (a_stride == 0) {
    const Vec constant = Vec::broadcast(to_float(*a));
    map(b, y, count, [&](Vec v) { return function(constant, v); });
  } else if (b_stride == 0) {
    const Vec constant = Vec::broadcast(to_float(*b));
    map(a, y, count, [&](Vec v) { return function(v, constant); });
  } else {
    map(a, b, y, count, function);
  }
}

template <class T, class Function>
void map_all(const NodeView& node, CpuContext& context, Function function) {
  const T* const a = node.input(Binary::kA).as<T>();
  const T* const b = node.input(Binary::kB).as<T>();
  T* const y = node.output().as<T>();
  const LoopNest<2> nest =
      nest_of(node.input(Binary::kA).shape, node.input(Binary::kB).shape, node.output().shape);
  const int64_t length = nest.row_length();
  const int64_t a_stride = nest.row_stride(Binary::kA);
  const int64_t b_stride = nest.row_stride(Binary::kB);
  const int64_t pieces = (length + kElementwiseGrain - 1) / kElementwiseGrain;  // of a long row
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / length);
  context.parallel_ranges(nest.row_count() * pieces, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / pieces;
      const int64_t first = i % pieces * kElementwiseGrain;
      const auto offsets = nest.row_offsets(row);
      map_row(a + offsets[Binary::kA] + first * a_stride, a_stride,
              b + offsets[Binary::kB] + first * b_stride, b_stride, y + row * length + first,
              std::min(kElementwiseGrain, length - first), function);
    }
  });
}

void run(const Binary& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    switch (attributes.kind) {
      case Binary::Kind::kAdd:
        return map_all<T>(node, context, [](Vec a, Vec b) { return a + b; });
      case Binary::Kind::kSubtract:
        return map_all<T>(node, context, [](Vec a, Vec b) { return a - b; });
      case Binary::Kind::kMultiply:
        return map_all<T>(node, context, [](Vec a, Vec b) { return a * b; });
    }
  });
}

}  // namespace

namespace ops {
Op binary() {
  CpuOpSpec<Binary> spec;
  spec.in_place_inputs = {Binary::kA, Binary::kB};
  spec.validate = Binary::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
