#include <algorithm>
#include <limits>

#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/embedding/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

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
  const TensorView& table = node.input(Embedding::kTable);
  const TensorView& ids = node.input(Embedding::kIds);
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
  spec.validate = Embedding::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
