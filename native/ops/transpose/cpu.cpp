#include <algorithm>

#include "cpu/convert.h"
#include "cpu/element_bytes.h"
#include "cpu/map.h"
#include "ops/transpose/op.h"
#include "runtime/cpu_context.h"
#include "runtime/loop_nest.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Array { kTarget, kSource };

constexpr int64_t kTile = 32;

// The axes of the result, outermost first, with their strides in the result and in x.
LoopNest<2> nest_of(const Transpose& attributes, const Shape& x, const Shape& y) {
  LoopNest<2> nest;
  for (int axis = 0; axis < y.rank(); ++axis) {
    const int source_axis = attributes.permutation[static_cast<size_t>(axis)];
    nest.add_axis(y[axis], {y.size(axis + 1), x.size(source_axis + 1)});
  }
  return nest;
}

// The innermost axis stays innermost: rows are copied whole.
template <class T>
void copy_nest(const LoopNest<2>& nest, const T* x, T* y, CpuContext& context) {
  const int64_t length = nest.row_length();
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / length);
  context.parallel_ranges(nest.row_count(), grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const auto offsets = nest.row_offsets(row);
      std::memcpy(y + offsets[kTarget], x + offsets[kSource], static_cast<size_t>(length) * sizeof(T));
    }
  });
}

// A matrix whose columns are dense in x and whose rows are dense in y, in tiles that stay in the cache.
template <class T>
struct MatrixTranspose {
  int64_t rows;
  int64_t columns;
  int64_t row_stride;     // in y
  int64_t column_stride;  // in x

  void run(const T* x, T* y, int64_t first_row) const {
    const int64_t last_row = std::min(first_row + kTile, rows);
    for (int64_t first = 0; first < columns; first += kTile) {
      const int64_t last = std::min(first + kTile, columns);
      for (int64_t row = first_row; row < last_row; ++row) {
        for (int64_t column = first; column < last; ++column) {
          y[row * row_stride + column] = read_unaligned<T>(x, row + column * column_stride);
        }
      }
    }
  }
};

template <class T>
void transpose_nest(const LoopNest<2>& nest, const T* x, T* y, CpuContext& context) {
  const int columns = nest.rank() - 1;
  int rows = 0;
  while (nest.stride(rows, kSource) != 1) ++rows;
  LoopNest<2> outer;
  for (int axis = 0; axis < columns; ++axis) {
    if (axis != rows)
      outer.add_axis(nest.extent(axis), {nest.stride(axis, kTarget), nest.stride(axis, kSource)});
  }
  const MatrixTranspose<T> matrix{nest.extent(rows), nest.extent(columns), nest.stride(rows, kTarget),
                                  nest.stride(columns, kSource)};
  const int64_t tiles = (matrix.rows + kTile - 1) / kTile;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / (kTile * matrix.columns));
  context.parallel_ranges(outer.size(outer.rank()) * tiles, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const auto offsets = outer.offsets(i / tiles, outer.rank());
      matrix.run(x + offsets[kSource], y + offsets[kTarget], i % tiles * kTile);
    }
  });
}

void run(const Transpose& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(0);
  const LoopNest<2> nest = nest_of(attributes, x.shape, node.output().shape);
  with_element_bytes(x.dtype, [&](auto element) {
    using T = decltype(element);
    T* const y = node.output().as<T>();
    if (nest.row_stride(kSource) == 1) {
      copy_nest(nest, x.as<T>(), y, context);
    } else {
      transpose_nest(nest, x.as<T>(), y, context);
    }
  });
}

}  // namespace

namespace ops {
Op transpose() {
  CpuOpSpec<Transpose> spec;
  spec.validate = Transpose::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
