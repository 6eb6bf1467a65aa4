// Bound by memory, each element read once and written once.
//
// copy_units: a thread takes one unit, the largest power of two of bytes, up to 16, by which runs that are
// contiguous on both sides can be taken apart; an element where there are no such runs.
// copy_tiles: where neighbours in the target are far apart in the source, and there is an axis of which the
// opposite is true, 32 x 32 elements of the two pass through shared memory, so that both sides move whole
// lines. Pictures of 3 or 4 channels are left to copy_units: most of a tile would be empty.
#include "cuda/strided_copy.h"

#include "cuda/grid_loop.h"
#include "cuda/nest.h"
#include "cuda/with_unit.h"

namespace ipai::cuda {
namespace {

template <class Unit>
__global__ void __launch_bounds__(kLoopThreads, kLoopBlocks)
    copy_units(const __grid_constant__ Nest<2> nest, const Unit* source, Unit* target, int64_t count) {
  grid_loop(count, [&](int64_t unit) {
    int64_t offsets[2];
    nest.locate(unit, offsets);
    target[offsets[kTarget]] = source[offsets[kSource]];
  });
}

constexpr int kTile = 32;
constexpr int kTileThreads = 256;
constexpr int kTileStep = kTileThreads / kTile;
// An axis of fewer elements makes no tile.
constexpr int64_t kMinTileExtent = 16;

// Matrices of `rows` x `columns`: columns are dense in the target, rows are in the source.
struct Matrices {
  Nest<2> outer;
  int64_t rows;
  int64_t columns;
  int64_t row_stride;     // in the target
  int64_t column_stride;  // in the source
};

template <class Unit>
__global__ void __launch_bounds__(kTileThreads)
    copy_tiles(const __grid_constant__ Matrices matrices, const Unit* source, Unit* target) {
  // The odd row length keeps columns in different banks.
  auto* const tile = reinterpret_cast<Unit(*)[kTile + 1]>(dynamic_shared());
  const int64_t across = (matrices.columns + kTile - 1) / kTile;
  const int64_t down = (matrices.rows + kTile - 1) / kTile;
  const int64_t index = blockIdx.x;
  const int64_t first_column = index % across * kTile;
  const int64_t first_row = index / across % down * kTile;
  int64_t offsets[2];
  matrices.outer.locate(index / across / down, offsets);
  const int lane = lane_index();

  for (int i = warp_index(); i < kTile; i += kTileStep) {
    const int64_t row = first_row + lane;
    const int64_t column = first_column + i;
    if (row < matrices.rows && column < matrices.columns) {
      tile[i][lane] = source[offsets[kSource] + column * matrices.column_stride + row];
    }
  }
  __syncthreads();  // the tile is complete
  for (int i = warp_index(); i < kTile; i += kTileStep) {
    const int64_t row = first_row + i;
    const int64_t column = first_column + lane;
    if (row < matrices.rows && column < matrices.columns) {
      target[offsets[kTarget] + row * matrices.row_stride + column] = tile[lane][i];
    }
  }
}

// The axis along which the source is dense; -1 when none is.
int dense_source_axis(const LoopNest<2>& nest) {
  for (int axis = 0; axis < nest.rank(); ++axis) {
    if (nest.stride(axis, kSource) == 1) return axis;
  }
  return -1;
}

bool has_tiles(const LoopNest<2>& nest) {
  const int rows = dense_source_axis(nest);
  return rows >= 0 && nest.row_stride(kTarget) == 1 && nest.row_stride(kSource) > 1 &&
         nest.row_length() >= kMinTileExtent && nest.extent(rows) >= kMinTileExtent;
}

Matrices matrices_of(const LoopNest<2>& nest) {
  const int columns = nest.rank() - 1;
  const int rows = dense_source_axis(nest);
  LoopNest<2> outer;
  for (int axis = 0; axis < columns; ++axis) {
    if (axis != rows)
      outer.add_axis(nest.extent(axis), {nest.stride(axis, kTarget), nest.stride(axis, kSource)});
  }
  return {Nest<2>(outer), nest.extent(rows), nest.extent(columns), nest.stride(rows, kTarget),
          nest.stride(columns, kSource)};
}

// The nest in units of `unit_bytes` where its innermost axis is contiguous on both sides.
LoopNest<2> in_units(const LoopNest<2>& nest, int64_t element_bytes, int64_t unit_bytes) {
  LoopNest<2> result;
  for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
    result.add_axis(nest.extent(axis), {nest.stride(axis, kTarget) * element_bytes / unit_bytes,
                                        nest.stride(axis, kSource) * element_bytes / unit_bytes});
  }
  result.add_axis(nest.row_length() * element_bytes / unit_bytes, {1, 1});
  return result;
}

int64_t unit_of(const LoopNest<2>& nest, int64_t element_bytes, const void* source, const void* target) {
  int64_t bits =
      static_cast<int64_t>(reinterpret_cast<uintptr_t>(source) | reinterpret_cast<uintptr_t>(target));
  bits |= nest.row_length() * element_bytes;
  for (int axis = 0; axis + 1 < nest.rank(); ++axis) {
    bits |= nest.stride(axis, kTarget) * element_bytes | nest.stride(axis, kSource) * element_bytes;
  }
  return unit_that_divides(bits);
}

void record_units(const char* name, const LoopNest<2>& nest, int64_t unit_bytes, const void* source,
                  void* target, CudaEncoder& encoder) {
  const Nest<2> units(nest);
  with_unit(unit_bytes, [&](auto unit) {
    using Unit = decltype(unit);
    encoder.launch(name, copy_units<Unit>, loop_shape(units.size(), encoder.device()), units,
                   static_cast<const Unit*>(source), static_cast<Unit*>(target), units.size());
  });
}

void record_tiles(const char* name, const Matrices& matrices, int64_t element_bytes, const void* source,
                  void* target, CudaEncoder& encoder) {
  const int64_t tiles =
      matrices.outer.size() * ceil_divide(matrices.rows, kTile) * ceil_divide(matrices.columns, kTile);
  with_unit(element_bytes, [&](auto unit) {
    using Unit = decltype(unit);
    if constexpr (sizeof(Unit) <= 4) {  // elements have no more
      encoder.launch(name, copy_tiles<Unit>,
                     {blocks_for(tiles, 1), kTileThreads, kTile * (kTile + 1) * sizeof(Unit)}, matrices,
                     static_cast<const Unit*>(source), static_cast<Unit*>(target));
    }
  });
}

}  // namespace

void record_copy(const char* name, const LoopNest<2>& nest, const void* source, void* target,
                 size_t element_bytes, CudaEncoder& encoder) {
  const auto bytes = static_cast<int64_t>(element_bytes);
  if (nest.row_stride(kTarget) == 1 && nest.row_stride(kSource) == 1) {
    const int64_t unit = unit_of(nest, bytes, source, target);
    record_units(name, in_units(nest, bytes, unit), unit, source, target, encoder);
  } else if (has_tiles(nest)) {
    record_tiles(name, matrices_of(nest), bytes, source, target, encoder);
  } else {
    record_units(name, nest, bytes, source, target, encoder);
  }
}

}  // namespace ipai::cuda
