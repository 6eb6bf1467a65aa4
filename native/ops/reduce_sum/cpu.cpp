// Bound by reading x. Sums are made of sums of blocks, so that rounding grows with the length of a block and
// with their number, and not with the product of both; how they are cut depends on the shapes alone.
#include <algorithm>

#include "cpu/add_row.h"
#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/reduce_sum/op.h"
#include "runtime/cpu_context.h"
#include "runtime/loop_nest.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kColumns = 256;  // of a task
constexpr int64_t kBlockRows = 64;
constexpr int64_t kBlockLength = 1024;

std::string validate(const ReduceSum& attributes, const NodeTypes& types) {
  const TensorType& x = types.inputs[0];
  if (x.absent || is_empty(x.shape) || !is_compute(x.dtype)) return mismatch("x", "float32 or bfloat16", x);
  if (!is_compute(attributes.dtype)) {
    return std::string("dtype: expected float32 or bfloat16; got ") + dtype_name(attributes.dtype);
  }
  const Shape shape(attributes.shape.begin(), attributes.shape.end());
  bool fits = shape.rank() == x.shape.rank();
  for (int axis = 0; fits && axis < shape.rank(); ++axis) {
    fits = shape[axis] == 1 || shape[axis] == x.shape[axis];
  }
  if (!fits) return "shape: expected the extents of x, " + describe(x) + ", or 1; got " + shape.to_string();
  return check_type("output", types.outputs[0], attributes.dtype, shape);
}

struct Reduction {
  Reduction(const Shape& x, const Shape& y) {
    int64_t x_stride = x.size();
    int64_t y_stride = y.size();
    for (int axis = 0; axis < x.rank(); ++axis) {
      x_stride /= x[axis];
      y_stride /= y[axis];
      if (y[axis] == x[axis]) {
        kept.add_axis(x[axis], {x_stride, y_stride});
      } else {
        reduced.add_axis(x[axis], {x_stride});
      }
    }
  }

  // Whether neighbours in x belong to different sums.
  bool has_columns() const { return kept.rank() > 0 && kept.row_stride(0) == 1; }

  LoopNest<2> kept;  // of x and y
  LoopNest<1> reduced;
};

// Sums of `count` neighbouring columns.
template <class T, class Y>
void sum_columns(const Reduction& reduction, const T* x, Y* y, int64_t count) {
  float totals[kColumns] = {};
  const int64_t rows = reduction.reduced.size(reduction.reduced.rank());
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    float sums[kColumns] = {};
    for (int64_t row = begin; row < std::min(begin + kBlockRows, rows); ++row) {
      add_row(x + reduction.reduced.offsets(row, reduction.reduced.rank())[0], count, sums);
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
void reduce(const Reduction& reduction, const T* x, Y* y, CpuContext& context) {
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
  const Reduction reduction(node.input(0).shape, node.output().shape);
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
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
