#include <algorithm>
#include <limits>

#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/embedding/op.h"
#include "runtime/cpu_context.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kTable, kIds };

std::string validate(const Embedding& attributes, const NodeTypes& types) {
  const TensorType& table = types.inputs[kTable];
  const TensorType& ids = types.inputs[kIds];
  if (table.absent || table.shape.rank() != 2 || is_empty(table.shape) || !is_float(table.dtype)) {
    return mismatch("table", "floats [V, C]", table);
  }
  if (ids.absent || is_empty(ids.shape) || ids.shape.rank() >= kMaxRank || ids.dtype != DType::kInt32) {
    return mismatch("ids", "int32, not empty", ids);
  }
  if (!is_float(attributes.dtype)) {
    return std::string("dtype: expected float32, float16 or bfloat16; got ") + dtype_name(attributes.dtype);
  }
  std::vector<int64_t> extents;
  for (int axis = 0; axis < ids.shape.rank(); ++axis) extents.push_back(ids.shape[axis]);
  extents.push_back(table.shape[1]);
  return check_type("output", types.outputs[0], attributes.dtype, Shape(extents));
}

template <class From, class To>
void look_up(const TensorView& table, const int32_t* ids, int64_t count, To* rows, CpuContext& context) {
  const int64_t vocabulary = table.shape[0];
  const int64_t channels = table.shape[1];
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / channels);
  context.parallel_ranges(count, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      To* const row = rows + i * channels;
      if (ids[i] >= 0 && ids[i] < vocabulary) {
        convert<From>(table.as<From>() + ids[i] * channels, row, channels);
      } else {
        To nan;
        store_scalar(&nan, std::numeric_limits<float>::quiet_NaN());
        std::fill_n(row, channels, nan);
      }
    }
  });
}

void run(const Embedding&, const NodeView& node, CpuContext& context) {
  const TensorView& table = node.input(kTable);
  const TensorView& ids = node.input(kIds);
  with_float(table.dtype, [&](auto from) {
    with_float(node.output().dtype, [&](auto to) {
      look_up<decltype(from)>(table, ids.as<int32_t>(), ids.shape.size(), node.output().as<decltype(to)>(),
                              context);
    });
  });
}

}  // namespace

namespace ops {
Op embedding() {
  CpuOpSpec<Embedding> spec;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
