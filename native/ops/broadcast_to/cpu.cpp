#include <algorithm>

#include "cpu/convert.h"
#include "cpu/element_bytes.h"
#include "cpu/map.h"
#include "ops/broadcast_to/op.h"
#include "runtime/cpu_context.h"
#include "runtime/loop_nest.h"

namespace ipai::IPAI_TARGET {
namespace {

void run(const BroadcastTo&, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(0);
  const Shape& shape = node.output().shape;
  const auto strides = broadcast_strides(x.shape);
  LoopNest<1> nest;
  for (int axis = 0; axis < shape.rank(); ++axis)
    nest.add_axis(shape[axis], {strides[static_cast<size_t>(axis)]});
  const int64_t length = nest.row_length();
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / length);
  with_element_bytes(x.dtype, [&](auto element) {
    using T = decltype(element);
    T* const y = node.output().as<T>();
    context.parallel_ranges(nest.row_count(), grain, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const T* const source = x.as<T>() + nest.row_offsets(row)[0];
        if (nest.row_stride(0) == 0) {
          std::fill_n(y + row * length, length, read_unaligned<T>(source, 0));
        } else {
          std::memcpy(y + row * length, source, static_cast<size_t>(length) * sizeof(T));
        }
      }
    });
  });
}

}  // namespace

namespace ops {
Op broadcast_to() {
  CpuOpSpec<BroadcastTo> spec;
  spec.validate = BroadcastTo::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
