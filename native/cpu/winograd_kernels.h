// The transformed 3x3 kernels (weights) of Winograd's algorithm, [position][channels][columns] for each panel
// of outputs: held in that form, or transformed by each task from the layout of the direct algorithm. Held,
// they take 4 times the memory, and where a picture has few tiles the products wait for them to be read;
// transformed again and again, they cost 72 stores for each channel of a panel, which only many tiles
// outweigh.
#pragma once

#include "cpu/packed_weight.h"
#include "cpu/prefetch_rows.h"
#include "cpu/winograd_transform.h"

namespace ipai::IPAI_TARGET {

// What held kernels of a model of dtype T are stored as. Products are made in float32; float16 halves the
// memory, and with tiles of up to 4x4 rounds the result of a convolution by no more than bfloat16 weights do
// (bench/RESULTS.md).
template <int kOut, class T>
struct HeldElement {
  using Type = float;
};
#if defined(__AVX2__)  // without it, float16 would be converted element by element
template <>
struct HeldElement<2, BFloat16> {
  using Type = Float16;
};
template <>
struct HeldElement<4, BFloat16> {
  using Type = Float16;
};
#endif

// Where held kernels of [outputs, channels] lie: panel by panel, in it position by position.
template <int kOut>
struct HeldLayout {
  PackedWeight position;  // of one position: [outputs, channels]

  int64_t offset(int64_t panel, int position_index) const {
    const int64_t width = position.vecs_in(panel) * int64_t{Vec::kLanes};
    return position.panel_offset(panel) * WinogradTransform<kOut>::kPositions +
           position_index * position.depth * width;
  }
  size_t bytes(DType dtype) const {
    using Half = typename HeldElement<kOut, BFloat16>::Type;
    const size_t element = dtype == DType::kBFloat16 ? sizeof(Half) : sizeof(float);
    return static_cast<size_t>(position.elements() * WinogradTransform<kOut>::kPositions) * element;
  }
};

// G·g·Gᵀ of a vector of outputs; tap(i, j) gives the elements of g, store(position, value) takes the results.
template <int kOut, class Tap, class Store>
void transform_kernels(Tap tap, Store store) {
  using Transform = WinogradTransform<kOut>;
  Vec half[Transform::kKernel][Transform::kIn];
  for (int j = 0; j < Transform::kKernel; ++j) {
    const Vec column[Transform::kKernel] = {tap(0, j), tap(1, j), tap(2, j)};
    Transform::weight(column, half[j]);
  }
  for (int i = 0; i < Transform::kIn; ++i) {
    const Vec row[Transform::kKernel] = {half[0][i], half[1][i], half[2][i]};
    Vec transformed[Transform::kIn];
    Transform::weight(row, transformed);
    for (int j = 0; j < Transform::kIn; ++j) store(i * Transform::kIn + j, transformed[j]);
  }
}

template <int kOut, class T>
class HeldKernels {
 public:
  using Element = typename HeldElement<kOut, T>::Type;
  static constexpr bool kHeld = true;

  HeldKernels(const HeldLayout<kOut>& layout, const Element* packed) : layout_(layout), packed_(packed) {}

  void load(int64_t, Range, float*, int64_t) const {}
  void prefetch(int64_t, Range, int) const {}
  const Element* at(int64_t panel, int position, const float*, int64_t) const {
    return packed_ + layout_.offset(panel, position);
  }

 private:
  const HeldLayout<kOut> layout_;
  const Element* packed_;
};

template <int kOut, class T>
class PackedKernels {
 public:
  using Element = float;
  static constexpr bool kHeld = false;

  // `packed` as the direct algorithm reads it: depth 9·C.
  PackedKernels(const PackedWeight& layout, const T* packed)
      : layout_(layout), channels_(layout.depth / kTaps), packed_(packed) {}

  // Transforms a panel's kernels of some channels to `target`, positions `stride` floats apart.
  void load(int64_t panel, Range channels, float* target, int64_t stride) const {
    const T* const packed = packed_ + layout_.panel_offset(panel);
    const int columns = layout_.vecs_in(panel) * Vec::kLanes;
    for (int64_t channel = channels.begin; channel < channels.end; ++channel, target += columns) {
      for (int column = 0; column < columns; column += Vec::kLanes) {
        transform_kernels<kOut>(
            [&](int i, int j) {
              const int64_t tap = i * WinogradTransform<kOut>::kKernel + j;
              return load_packed(packed, tap * channels_ + channel, columns, column);
            },
            [&](int position, Vec value) { value.store(target + position * stride + column); });
      }
    }
  }

  // Asks for a share of the panel's kernels of the channels that come next: all, after one call a position.
  void prefetch(int64_t panel, Range channels, int position) const {
    constexpr int kShares = WinogradTransform<kOut>::kPositions / kTaps;
    const int64_t columns = layout_.vecs_in(panel) * int64_t{Vec::kLanes};
    const int64_t first = position / kShares * channels_ + channels.begin;
    const T* const line = packed_ + layout_.panel_offset(panel) + first * columns;
    const Range share = part_of(channels.size() * columns, kShares, position % kShares);
    prefetch_rows<false>(line + share.begin, 0, 1, share.size());
  }

  const float* at(int64_t, int position, const float* loaded, int64_t stride) const {
    return loaded + position * stride;
  }

 private:
  static constexpr int kTaps = WinogradTransform<kOut>::kKernel * WinogradTransform<kOut>::kKernel;

  const PackedWeight layout_;
  const int64_t channels_;
  const T* packed_;
};

// Packs weights [outputs, channels, 3, 3] of `Source` elements, at any byte offset, as held kernels.
template <int kOut, class Source, class Element>
void pack_held_kernels(const HeldLayout<kOut>& layout, const void* source, Element* packed,
                       CpuContext& context) {
  constexpr int kKernel = WinogradTransform<kOut>::kKernel;
  constexpr int kTaps = kKernel * kKernel;
  const PackedWeight& p = layout.position;
  context.parallel_for(p.panels(), [&](int64_t panel, int) {
    const int columns = p.vecs_in(panel) * Vec::kLanes;
    for (int column = 0; column < columns; column += Vec::kLanes) {
      int64_t rows[Vec::kLanes];
      for (int i = 0; i < Vec::kLanes; ++i) rows[i] = p.source_row(panel, column + i);
      Vec taps[kTaps];
      for_each_column<Source>(source, p.depth * kTaps, rows, [&](int64_t at, Vec values) {
        taps[at % kTaps] = values;
        if (at % kTaps < kTaps - 1) return;
        transform_kernels<kOut>(
            [&](int i, int j) { return taps[i * kKernel + j]; },
            [&](int position, Vec value) {
              store_lanes(packed + layout.offset(panel, position) + at / kTaps * columns + column, value);
            });
      });
    }
  });
}

}  // namespace ipai::IPAI_TARGET
