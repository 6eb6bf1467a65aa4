#include <algorithm>

#include "cpu/convert.h"
#include "cpu/element_bytes.h"
#include "cpu/half_lanes.h"
#include "cpu/map.h"
#include "cpu/transpose_lanes.h"
#include "ops/transpose/op.h"
#include "runtime/cpu_context.h"
#include "runtime/loop_nest.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Array { kTarget, kSource };

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

Vec load_bytes(const void* address) {
  Vec value;
  std::memcpy(&value, address, sizeof(value));
  return value;
}

// A matrix whose columns are dense in x and whose rows are dense in y, in squares of whole vectors, so that
// every cache line of y is written at once.
template <class T>
struct MatrixTranspose {
  static constexpr int64_t kSquare = static_cast<int64_t>(sizeof(Vec) / sizeof(T));
  static constexpr int64_t kBlock = 4 * kSquare;  // rows and columns of a task

  int64_t rows;
  int64_t columns;
  int64_t row_stride;     // in y
  int64_t column_stride;  // in x

  int64_t row_blocks() const { return (rows + kBlock - 1) / kBlock; }
  int64_t blocks() const { return row_blocks() * ((columns + kBlock - 1) / kBlock); }

  void run(const T* x, T* y, int64_t block) const {
    const int64_t first_row = block % row_blocks() * kBlock;
    const int64_t first_column = block / row_blocks() * kBlock;
    const int64_t last_row = std::min(first_row + kBlock, rows);
    const int64_t last_column = std::min(first_column + kBlock, columns);
    for (int64_t row = first_row; row < last_row; row += kSquare) {
      for (int64_t column = first_column; column < last_column; column += kSquare) {
        const bool whole = row + kSquare <= last_row && column + kSquare <= last_column;
        const T* const from = x + column * column_stride + row;
        T* const to = y + row * row_stride + column;
        if (sizeof(T) > 1 && whole) {
          square(from, to);
        } else {
          part(from, to, std::min(kSquare, last_row - row), std::min(kSquare, last_column - column));
        }
      }
    }
  }

  void part(const T* x, T* y, int64_t row_count, int64_t column_count) const {
    for (int64_t row = 0; row < row_count; ++row) {
      for (int64_t column = 0; column < column_count; ++column) {
        y[row * row_stride + column] = read_unaligned<T>(x, row + column * column_stride);
      }
    }
  }

  void square(const T* x, T* y) const {
    Vec lanes[Vec::kLanes];
    if constexpr (sizeof(T) == sizeof(float)) {
      for (int i = 0; i < Vec::kLanes; ++i) lanes[i] = load_bytes(x + i * column_stride);
      transpose_lanes(lanes);
      for (int i = 0; i < Vec::kLanes; ++i) std::memcpy(y + i * row_stride, &lanes[i], sizeof(Vec));
    } else {
      // Pairs of columns fill a lane: the square's even rows are in the lower halves, its odd rows in the
      // upper.
      const auto pair = [&](int i, auto halves) {
        return halves(load_bytes(x + 2 * i * column_stride), load_bytes(x + (2 * i + 1) * column_stride));
      };
      for (int i = 0; i < Vec::kLanes; ++i) lanes[i] = pair(i, pair_low_halves);
      transpose_lanes(lanes);
      for (int i = 0; i < Vec::kLanes; ++i) std::memcpy(y + 2 * i * row_stride, &lanes[i], sizeof(Vec));
      for (int i = 0; i < Vec::kLanes; ++i) lanes[i] = pair(i, pair_high_halves);
      transpose_lanes(lanes);
      for (int i = 0; i < Vec::kLanes; ++i) std::memcpy(y + (2 * i + 1) * row_stride, &lanes[i], sizeof(Vec));
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
  const int64_t blocks = matrix.blocks();
  const int64_t area = std::min(matrix.kBlock, matrix.rows) * std::min(matrix.kBlock, matrix.columns);
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / area);
  context.parallel_ranges(outer.size(outer.rank()) * blocks, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const auto offsets = outer.offsets(i / blocks, outer.rank());
      matrix.run(x + offsets[kSource], y + offsets[kTarget], i % blocks);
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
