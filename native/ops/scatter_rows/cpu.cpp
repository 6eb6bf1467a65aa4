// A task adds up some columns of a sample, in the order of x: no two tasks write to one place.
#include <algorithm>

#include "cpu/add_row.h"
#include "cpu/with_dtype.h"
#include "ops/scatter_rows/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kColumns = 256;  // of a task

void run(const ScatterRows& attributes, const NodeView& node, CpuContext& context) {
  const Shape& shape = node.input(ScatterRows::kX).shape;
  const int64_t count = shape[1], channels = shape[2], rows = attributes.rows;
  const int64_t pieces = (channels + kColumns - 1) / kColumns;
  with_compute(node.input(ScatterRows::kX).dtype, [&](auto element) {
    using T = decltype(element);
    context.parallel_for(shape[0] * pieces, [&](int64_t task, int) {
      const int64_t sample = task / pieces;
      const int64_t first = task % pieces * kColumns;
      const int64_t width = std::min(kColumns, channels - first);
      const T* const x = node.input(ScatterRows::kX).as<T>() + sample * count * channels + first;
      const int32_t* const index = node.input(ScatterRows::kIndex).as<int32_t>() + sample * count;
      float* const y = node.output().as<float>() + sample * rows * channels + first;
      for (int64_t row = 0; row < rows; ++row) std::fill_n(y + row * channels, width, 0.0f);
      for (int64_t i = 0; i < count; ++i) {
        if (index[i] >= 0 && index[i] < rows) add_row(x + i * channels, width, y + index[i] * channels);
      }
    });
  });
}

}  // namespace

namespace ops {
Op scatter_rows() {
  CpuOpSpec<ScatterRows> spec;
  spec.validate = ScatterRows::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
