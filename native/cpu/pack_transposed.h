// Packing a weight that comes as [depth, rows]: rows of a panel are parts of its rows, and need only be
// converted.
#pragma once

#include "cpu/half_lanes.h"
#include "cpu/packed_weight.h"

namespace ipai::IPAI_TARGET {

// Of a weight [depth, rows] of `Source` elements at any byte offset, one vector of a panel's columns: rows
// [first, first + count) at the depths [begin, end). `target` is where the panel has the first of them.
template <class Source, class T>
struct ColumnsOfRows {
  static constexpr int64_t kUnit = PanelProduct<T>::kDepthUnit;

  const PackedWeight& layout;
  const void* source;
  int64_t first;
  int64_t target_stride;  // elements from one unit of depth to the next

  const void* row(int64_t at) const {
    const int64_t offset = (at * layout.rows + first) * static_cast<int64_t>(sizeof(Source));
    return static_cast<const std::byte*>(source) + offset;
  }
  Vec load(int64_t at) const {
    return at < layout.depth ? load_lanes(static_cast<const Source*>(row(at))) : Vec::zero();
  }

  void pack_whole(int64_t begin, int64_t end, T* target) const {
    for (int64_t at = begin; at < end; at += kUnit, target += target_stride) {
#if defined(__AVX512BF16__)
      if constexpr (kUnit == 2) {
        const Vec low = {_mm512_castsi512_ps(bfloat16_bits(load(at)))};
        const Vec high = {_mm512_castsi512_ps(bfloat16_bits(load(at + 1)))};
        _mm512_storeu_ps(target, pair_low_halves(low, high).v);
        continue;
      }
#endif
      store_lanes(target, load(at));
    }
  }

  // Fewer rows than lanes; the others are zero.
  void pack_part(int64_t begin, int64_t end, int64_t count, T* target) const {
    for (int64_t at = begin; at < end; at += kUnit, target += target_stride) {
      std::fill_n(target, Vec::kLanes * kUnit, T{});
      for (int64_t k = 0; k < std::min(kUnit, layout.depth - at); ++k) {
        const void* const from = row(at + k);
        for (int64_t i = 0; i < count; ++i) {
          store_scalar(target + i * kUnit + k, to_float(read_unaligned<Source>(from, i)));
        }
      }
    }
  }
};

// As pack_weight, of one tap and of a weight [depth, rows].
template <class Source, class T>
void pack_transposed_weight(const PackedWeight& layout, const void* source, T* packed, CpuContext& context) {
  constexpr int64_t kTaskDepth = 512;
  const int64_t pieces = divide_up(layout.stored_depth(), kTaskDepth);
  context.parallel_for(layout.panels() * pieces, [&](int64_t task, int) {
    const int64_t panel = task / pieces;
    const int64_t begin = task % pieces * kTaskDepth;
    const int64_t end = std::min(begin + kTaskDepth, layout.stored_depth());
    const int columns = layout.vecs_in(panel) * Vec::kLanes;
    T* const target = packed + layout.panel_offset(panel) + begin * columns;
    for (int column = 0; column < columns; column += Vec::kLanes) {
      int count = 0;
      while (count < Vec::kLanes && layout.source_row(panel, column + count) >= 0) ++count;
      const int64_t first = layout.source_row(panel, column);
      const ColumnsOfRows<Source, T> part{layout, source, first, columns * layout.unit};
      T* const lanes = target + column * layout.unit;
      if (count == Vec::kLanes) {
        part.pack_whole(begin, end, lanes);
      } else {
        part.pack_part(begin, end, count, lanes);
      }
    }
  });
}

}  // namespace ipai::IPAI_TARGET
