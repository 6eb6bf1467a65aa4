// Weights of 3x3 convolutions, transformed for Winograd's algorithm and packed: for each panel of outputs and
// each position of the transformed tile, one panel of a GEMM, [panel][position][channels][columns].
#pragma once

#include "cpu/packed_weight.h"
#include "cpu/winograd_transform.h"

namespace ipai::IPAI_TARGET {

// What transformed weights of a model of dtype T are stored as. Products are made in float32; float16 halves
// the memory, and rounds a weight no more than bfloat16 does once the transform has spread its error
// (bench/RESULTS.md).
template <class T>
struct WinogradWeight {
  using Element = float;
};
#if defined(__AVX2__)  // without it, float16 would be converted element by element
template <>
struct WinogradWeight<BFloat16> {
  using Element = Float16;
};
#endif

template <int kOut>
constexpr int winograd_positions() {
  return WinogradTransform<kOut>::kIn * WinogradTransform<kOut>::kIn;
}

// Bytes of a packed weight [outputs, channels, 3, 3] of a model of `dtype`.
inline size_t winograd_weight_bytes(DType dtype, int64_t outputs, int64_t channels, int positions) {
  const PackedWeight layout{outputs, channels, false};
  const size_t element =
      dtype == DType::kBFloat16 ? sizeof(WinogradWeight<BFloat16>::Element) : sizeof(float);
  return static_cast<size_t>(layout.elements() * positions) * element;
}

// The panel of `position` begins here, in elements. `layout` is that of one position: [outputs, channels].
inline int64_t winograd_panel_offset(const PackedWeight& layout, int positions, int64_t panel, int position) {
  const int64_t width = layout.vecs_in(panel) * int64_t{Vec::kLanes};
  return layout.panel_offset(panel) * positions + position * layout.stored_depth() * width;
}

// G·g·Gᵀ of one kernel, position by position.
template <int kOut>
void transform_kernel(const double (&kernel)[3][3], double (&result)[winograd_positions<kOut>()]) {
  using Transform = WinogradTransform<kOut>;
  constexpr int kIn = Transform::kIn;
  double columns[3][kIn];
  for (int j = 0; j < 3; ++j) {
    const double column[3] = {kernel[0][j], kernel[1][j], kernel[2][j]};
    Transform::weight(column, columns[j]);
  }
  for (int i = 0; i < kIn; ++i) {
    const double row[3] = {columns[0][i], columns[1][i], columns[2][i]};
    double transformed[kIn];
    Transform::weight(row, transformed);
    for (int j = 0; j < kIn; ++j) result[i * kIn + j] = transformed[j];
  }
}

// Packs weights [outputs, channels, 3, 3] of `Source` elements, at any byte offset.
template <int kOut, class Source, class Element>
void pack_winograd_weight(const PackedWeight& layout, const void* source, Element* packed,
                          CpuContext& context) {
  constexpr int kPositions = winograd_positions<kOut>();
  context.parallel_for(layout.panels(), [&](int64_t panel, int) {
    const int columns = layout.vecs_in(panel) * Vec::kLanes;
    Element line[kPositions][kTileColumns] = {};
    for (int64_t channel = 0; channel < layout.depth; ++channel) {
      for (int column = 0; column < layout.outputs_in(panel); ++column) {
        const int64_t first = ((layout.first_output(panel) + column) * layout.depth + channel) * 9;
        double kernel[3][3], transformed[kPositions];
        for (int tap = 0; tap < 9; ++tap) {
          kernel[tap / 3][tap % 3] = to_float(read_unaligned<Source>(source, first + tap));
        }
        transform_kernel<kOut>(kernel, transformed);
        for (int p = 0; p < kPositions; ++p) {
          store_scalar(&line[p][column], static_cast<float>(transformed[p]));
        }
      }
      for (int p = 0; p < kPositions; ++p) {
        Element* const target = packed + winograd_panel_offset(layout, kPositions, panel, p);
        std::copy_n(line[p], columns, target + channel * columns);
      }
    }
  });
}

}  // namespace ipai::IPAI_TARGET
