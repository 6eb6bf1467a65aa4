// Packing a weight that comes as [depth, rows]: rows of a panel are parts of its rows, and need only be
// converted.
#pragma once

#include "cpu/half_lanes.h"
#include "cpu/packed_weight.h"

namespace ipai::IPAI_TARGET {

// Lanes first ... first + count of row `at` of [depth, rows] elements at any byte offset; the others, and
// rows beyond depth, are zero.
template <class Source>
Vec load_row_lanes(const PackedWeight& layout, const void* source, int64_t at, int64_t first, int64_t count) {
  if (at >= layout.depth) return Vec::zero();
  const std::byte* const from = static_cast<const std::byte*>(source) +
                                (at * layout.rows + first) * static_cast<int64_t>(sizeof(Source));
  if (count >= Vec::kLanes) return load_lanes(static_cast<const Source*>(static_cast<const void*>(from)));
  alignas(64) float lanes[Vec::kLanes] = {};
  convert<Source>(from, lanes, count);
  return Vec::load(lanes);
}

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
    T* const target = packed + layout.panel_offset(panel);
    for (int column = 0; column < columns; column += Vec::kLanes) {
      const int64_t first = layout.source_row(panel, column);
      int64_t count = 0;
      while (count < Vec::kLanes && layout.source_row(panel, column + static_cast<int>(count)) >= 0) ++count;
      for (int64_t at = begin; at < end; at += layout.unit) {
        const Vec row = load_row_lanes<Source>(layout, source, at, first, count);
#if defined(__AVX512BF16__)
        if constexpr (PanelProduct<T>::kDepthUnit == 2) {
          const Vec next = load_row_lanes<Source>(layout, source, at + 1, first, count);
          const Vec pairs = pair_low_halves({_mm512_castsi512_ps(bfloat16_bits(row))},
                                            {_mm512_castsi512_ps(bfloat16_bits(next))});
          _mm512_storeu_ps(target + at * columns + 2 * column, pairs.v);
          continue;
        }
#endif
        store_lanes(target + at * columns + column, row);
      }
    }
  });
}

}  // namespace ipai::IPAI_TARGET
