// Bound by reading x. Sums are made of sums of blocks, so that rounding grows with the length of a block and
// with their number, and not with the product of both; how they are cut depends on the shapes alone.
#include <algorithm>

#include "cpu/add_row.h"
#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/reduce_sum/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kColumns = 256;  // of a task
constexpr int64_t kBlockRows = 64;
constexpr int64_t kBlockLength = 1024;

// Adds `rows` rows, `stride` apart, to `count` sums, which stay in registers meanwhile.
template <class T>
void add_rows(const T* x, int64_t rows, int64_t stride, int64_t count, float* sums) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) {
    Vec sum = Vec::load(sums + i);
    for (int64_t row = 0; row < rows; ++row) sum = sum + Vec::load(x + row * stride + i);
    sum.store(sums + i);
  }
  for (; i < count; ++i) {
    for (int64_t row = 0; row < rows; ++row) sums[i] += to_float(x[row * stride + i]);
  }
}

// Sums of `count` neighbouring columns.
template <class T, class Y>
void sum_columns(const ReducedAxes& reduction, const T* x, Y* y, int64_t count) {
  float totals[kColumns];
  std::fill_n(totals, count, 0.0f);
  const LoopNest<1>& reduced = reduction.reduced;
  const int64_t rows = reduced.size(reduced.rank());
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t end = std::min(begin + kBlockRows, rows);
    float sums[kColumns];
    std::fill_n(sums, count, 0.0f);
    for (int64_t row = begin; row < end;) {
      // As many as follow each other with one stride.
      const int64_t run = std::min(end - row, reduced.row_length() - row % reduced.row_length());
      add_rows(x + reduced.offsets(row, reduced.rank())[0], run, reduced.row_stride(0), count, sums);
      row += run;
    }
    add_row(sums, count, totals);
  }
  convert<float>(totals, y, count);
}

template <class T>
float sum_run(const T* x, int64_t count) {
  Vec sums = Vec::zero();
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) sums = sums + Vec::load(x + i);
  float total = sum(sums);
  for (; i < count; ++i) total += to_float(x[i]);
  return total;
}

// One sum, of runs of neighbours.
template <class T>
float sum_all(const LoopNest<1>& reduced, const T* x) {
  double total = 0;
  for (int64_t row = 0; row < reduced.row_count(); ++row) {
    const T* const run = x + reduced.row_offsets(row)[0];
    for (int64_t begin = 0; begin < reduced.row_length(); begin += kBlockLength) {
      total +=
          static_cast<double>(sum_run(run + begin, std::min(kBlockLength, reduced.row_length() - begin)));
    }
  }
  return static_cast<float>(total);
}

template <class T, class Y>
void reduce(const ReducedAxes& reduction, const T* x, Y* y, CpuContext& context) {
  const LoopNest<2>& kept = reduction.kept;
  if (reduction.has_columns()) {
    const int64_t pieces = (kept.row_length() + kColumns - 1) / kColumns;
    context.parallel_for(kept.row_count() * pieces, [&](int64_t task, int) {
      const auto offsets = kept.row_offsets(task / pieces);
      const int64_t first = task % pieces * kColumns;
      const int64_t count = std::min(kColumns, kept.row_length() - first);
      sum_columns(reduction, x + offsets[0] + first, y + offsets[1] + first, count);
    });
    return;
  }
  const int64_t grain =
      std::max<int64_t>(1, kElementwiseGrain / reduction.reduced.size(reduction.reduced.rank()));
  context.parallel_ranges(kept.size(kept.rank()), grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const auto offsets = kept.offsets(i, kept.rank());
      store_scalar(y + offsets[1], sum_all(reduction.reduced, x + offsets[0]));
    }
  });
}

void run(const ReduceSum& attributes, const NodeView& node, CpuContext& context) {
  const ReducedAxes reduction(node.input(0).shape, node.output().shape);
  with_compute(node.input(0).dtype, [&](auto from) {
    with_compute(attributes.dtype, [&](auto to) {
      reduce(reduction, node.input(0).as<decltype(from)>(), node.output().as<decltype(to)>(), context);
    });
  });
}

}  // namespace

namespace ops {
Op reduce_sum() {
  CpuOpSpec<ReduceSum> spec;
  spec.validate = ReduceSum::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
