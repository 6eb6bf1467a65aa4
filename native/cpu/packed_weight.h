// Weights as the GEMM reads them: panels of kTileColumns outputs, each panel depth x columns, row-major
// (where products take pairs of depth, the elements of a pair are neighbours). The last panel is as narrow as
// whole vectors allow; its columns beyond the last output are zero, and so is what fills depth up to whole
// pairs.
//
// With `glu` (rows n and n + N/2 of the weight belong together) a panel's left half holds rows n, n+1, ...
// and its right half their partners n + N/2, n + 1 + N/2, ..., so that one tile has both.
#pragma once

#include <algorithm>
#include <cstddef>

#include "cpu/convert.h"
#include "cpu/micro_kernel.h"
#include "cpu/parts.h"
#include "cpu/weight_columns.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {

// Where the weight [rows, depth] lies in its packed form. An "output" is a column of the result: a row of the
// weight, or with `glu` a pair of rows.
struct PackedWeight {
  int64_t rows;
  int64_t depth;
  bool glu;
  int64_t unit = 1;  // depth_unit of the packed dtype

  int64_t stored_depth() const { return divide_up(depth, unit) * unit; }
  int64_t outputs() const { return glu ? rows / 2 : rows; }
  int64_t panel_outputs() const { return glu ? kTileColumns / 2 : kTileColumns; }
  int64_t panels() const { return divide_up(outputs(), panel_outputs()); }
  int64_t first_output(int64_t panel) const { return panel * panel_outputs(); }
  int64_t outputs_in(int64_t panel) const {
    return std::min(panel_outputs(), outputs() - first_output(panel));
  }
  // Width of a panel, in vectors.
  int vecs_in(int64_t panel) const {
    return static_cast<int>(divide_up(outputs_in(panel), Vec::kLanes)) * (glu ? 2 : 1);
  }
  // In elements; every panel but the last is full.
  int64_t panel_offset(int64_t panel) const { return panel * kTileColumns * stored_depth(); }
  int64_t elements() const {
    return panel_offset(panels() - 1) + vecs_in(panels() - 1) * int64_t{Vec::kLanes} * stored_depth();
  }
  // Row of the weight in a panel's column, or -1 where the column is padding.
  int64_t source_row(int64_t panel, int column) const {
    const int half = glu ? vecs_in(panel) / 2 * Vec::kLanes : vecs_in(panel) * Vec::kLanes;
    const int output = column % half;
    if (output >= outputs_in(panel)) return -1;
    return first_output(panel) + output + (column < half ? 0 : outputs());
  }
};

// One vector of a panel's row `at` of depth, as float32.
template <class T>
Vec load_packed(const T* panel, int64_t at, int columns, int column) {
#if defined(__AVX512BF16__)
  if constexpr (PanelProduct<T>::kDepthUnit == 2) {
    // The first of a pair is the low half of 32 bits, the second the high half, as float32 has it.
    const __m512i pairs = _mm512_loadu_si512(panel + (at / 2 * columns + column) * 2);
    return {_mm512_castsi512_ps(at % 2 == 0 ? _mm512_slli_epi32(pairs, 16)
                                            : _mm512_and_si512(pairs, _mm512_set1_epi32(-65536)))};
  }
#endif
  return Vec::load(panel + at * columns + column);
}

// Stores what load_packed loads. Of a pair, the other element stays.
template <class T>
void store_packed(T* panel, int64_t at, int columns, int column, Vec value) {
#if defined(__AVX512BF16__)
  if constexpr (PanelProduct<T>::kDepthUnit == 2) {
    T* const pairs = panel + (at / 2 * columns + column) * 2;
    const __m512i bits = bfloat16_bits(value);
    const __m512i half = at % 2 == 0 ? bits : _mm512_slli_epi32(bits, 16);
    const __m512i other = _mm512_set1_epi32(at % 2 == 0 ? -65536 : 65535);
    _mm512_storeu_si512(pairs, _mm512_or_si512(half, _mm512_and_si512(_mm512_loadu_si512(pairs), other)));
    return;
  }
#endif
  store_lanes(panel + at * columns + column, value);
}

// Packs a weight [rows, channels, taps] of `Source` elements, at any byte offset, so that depth runs over
// (tap, channel): channels innermost, as the pictures have them. A linear weight has one tap.
template <class Source, class T>
void pack_weight(const PackedWeight& layout, const void* source, int64_t taps, T* packed,
                 CpuContext& context) {
  const int64_t channels = layout.depth / taps;
  context.parallel_for(layout.panels(), [&](int64_t panel, int) {
    T* const target = packed + layout.panel_offset(panel);
    const int columns = layout.vecs_in(panel) * Vec::kLanes;
    for (int column = 0; column < columns; column += Vec::kLanes) {
      int64_t rows[Vec::kLanes];
      for (int i = 0; i < Vec::kLanes; ++i) rows[i] = layout.source_row(panel, column + i);
      for_each_column<Source>(source, layout.depth, rows, [&](int64_t at, Vec values) {
        store_packed(target, at % taps * channels + at / taps, columns, column, values);
      });
      for (int64_t at = layout.depth; at < layout.stored_depth(); ++at) {
        store_packed(target, at, columns, column, Vec::zero());
      }
    }
  });
}

}  // namespace ipai::IPAI_TARGET
