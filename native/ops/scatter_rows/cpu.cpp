// A task adds up some columns of a sample, in the order of x: no two tasks write to one place.
#include <algorithm>

#include "cpu/add_row.h"
#include "cpu/with_dtype.h"
#include "ops/scatter_rows/op.h"
#include "runtime/cpu_context.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kX, kIndex };

constexpr int64_t kColumns = 256;  // of a task

std::string validate(const ScatterRows& attributes, const NodeTypes& types) {
  const TensorType& x = types.inputs[kX];
  if (x.absent || x.shape.rank() != 3 || is_empty(x.shape) || !is_compute(x.dtype)) {
    return mismatch("x", "float32 or bfloat16 [B, M, C]", x);
  }
  if (attributes.rows == 0) return "rows: expected 1 or more; got 0";
  const Shape index(std::vector<int64_t>{x.shape[0], x.shape[1]});
  const std::string error = check_type("index", types.inputs[kIndex], DType::kInt32, index);
  if (!error.empty()) return error;
  const Shape output(std::vector<int64_t>{x.shape[0], attributes.rows, x.shape[2]});
  return check_type("output", types.outputs[0], DType::kFloat32, output);
}

void run(const ScatterRows& attributes, const NodeView& node, CpuContext& context) {
  const Shape& shape = node.input(kX).shape;
  const int64_t count = shape[1], channels = shape[2], rows = attributes.rows;
  const int64_t pieces = (channels + kColumns - 1) / kColumns;
  with_compute(node.input(kX).dtype, [&](auto element) {
    using T = decltype(element);
    context.parallel_for(shape[0] * pieces, [&](int64_t task, int) {
      const int64_t sample = task / pieces;
      const int64_t first = task % pieces * kColumns;
      const int64_t width = std::min(kColumns, channels - first);
      const T* const x = node.input(kX).as<T>() + sample * count * channels + first;
      const int32_t* const index = node.input(kIndex).as<int32_t>() + sample * count;
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
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
