// 3x3 convolution of stride 1 by Winograd's algorithm (winograd_transform.h). For each strip of tiles: all
// its tiles are transformed, [position][tile][channel]; then each position is a product with transformed
// weights, and a task takes the products of its tiles at all positions back to outputs.
//
// Floor: a quarter (2x2: a 2.25th part, 6x6: a 5.06th) of the direct algorithm's multiplications at the rate
// of fused multiply-adds. Beside them stand 144 operations for each input vector of a 4x4 tile (6x6: 416),
// 120 for each output vector (308), a strip's way through the L3 cache, and the kernels' transform where they
// are not held (winograd_kernels.h).
//
// A picture that is read upsampled to twice its size has neighbours that are equal in pairs, and products at
// the mirrored point are 0 whatever the weights: 25 of 36 positions remain, 9 of 16 with
// 2x2 tiles, 49 of 64 with 6x6.
#pragma once

#include "cpu/winograd_plan.h"

namespace ipai::IPAI_TARGET {

// `Kernels` is HeldKernels<kOut, T> or PackedKernels<kOut, T>.
template <int kOut, class T, class Kernels>
class WinogradConv {
 public:
  using Transform = WinogradTransform<kOut>;
  static constexpr int kIn = Transform::kIn;
  static constexpr int kPositions = Transform::kPositions;
  static constexpr int64_t kRunTiles = WinogradPlan<kOut>::kRunTiles;

  // `picture` [B, H, W, C].
  WinogradConv(const ConvGeometry& geometry, const T* picture, const Kernels& kernels,
               const Epilogue<T>& epilogue, CpuContext& context)
      : g_(geometry),
        plan_(geometry, Kernels::kHeld),
        layout_{geometry.out_channels, geometry.channels, false},
        picture_(picture),
        kernels_(kernels),
        epilogue_(epilogue),
        context_(context),
        strip_(reinterpret_cast<float*>(context.scratch())),
        threads_(strip_ + plan_.strip_floats()),
        zeros_(reinterpret_cast<T*>(threads_ + plan_.thread_floats() * context.thread_count())),
        rows_in_pairs_(g_.view_height == 2 * g_.height && g_.top % 2 == 1),
        columns_in_pairs_(g_.view_width == 2 * g_.width && g_.left % 2 == 1) {}

  void run() {
    std::fill_n(zeros_, g_.channels, T{});
    for (int64_t index = 0; index < plan_.strips; ++index) {
      const Range strip = plan_.strip(index);
      context_.parallel_for(strip.size(), [&](int64_t task, int) { transform_tile(strip, task); });
      const int64_t blocks = divide_up(strip.size(), plan_.block_tiles);
      context_.parallel_for(blocks * layout_.panels(), [&](int64_t task, int thread) {
        multiply_block(strip, part_of(strip.size(), blocks, task % blocks), task / blocks, thread);
      });
    }
  }

 private:
  // A tile's sample and its first output.
  struct Place {
    int64_t sample, y, x;
  };
  Place place_of(int64_t tile) const {
    const int64_t row = tile / plan_.tiles_x;
    return {row / plan_.tiles_y, row % plan_.tiles_y * kOut, tile % plan_.tiles_x * kOut};
  }

  // The channels of pixel (y, x) of the padded, upsampled view.
  const T* pixel(int64_t sample, int64_t y, int64_t x) const {
    if (y < 0 || y >= g_.view_height || x < 0 || x >= g_.view_width) return zeros_;
    const int64_t source_y = g_.upsamples() ? y * g_.height / g_.view_height : y;
    const int64_t source_x = g_.upsamples() ? x * g_.width / g_.view_width : x;
    return picture_ + ((sample * g_.height + source_y) * g_.width + source_x) * g_.channels;
  }

  bool is_zero(int position) const {
    return (rows_in_pairs_ && position / kIn == Transform::kMirrored) ||
           (columns_in_pairs_ && position % kIn == Transform::kMirrored);
  }

  void transform_tile(Range strip, int64_t index) const {
    const Place place = place_of(strip.begin + index);
    const T* pixels[kIn][kIn];
    for (int i = 0; i < kIn; ++i) {
      for (int j = 0; j < kIn; ++j) {
        pixels[i][j] = pixel(place.sample, place.y - g_.top + i, place.x - g_.left + j);
      }
    }
    float* const target = strip_ + index * plan_.row_stride;
    int64_t channel = 0;
    for (; channel + Vec::kLanes <= g_.channels; channel += Vec::kLanes) {
      transform_vector(pixels, target + channel,
                       [channel](const T* from) { return Vec::load(from + channel); });
    }
    const int rest = static_cast<int>(g_.channels - channel);
    if (rest > 0) {
      transform_vector(pixels, target + channel,
                       [channel, rest](const T* from) { return load_partial(from + channel, rest); });
    }
  }

  // Bᵀ·d·B of one vector of channels: columns first, then rows.
  template <class Load>
  void transform_vector(const T* const (&pixels)[kIn][kIn], float* target, Load load) const {
    Vec half[kIn][kIn];
    for (int j = 0; j < kIn; ++j) {
      Vec d[kIn], v[kIn];
      for (int i = 0; i < kIn; ++i) d[i] = load(pixels[i][j]);
      Transform::input(d, v);
      for (int i = 0; i < kIn; ++i) half[i][j] = v[i];
    }
    for (int i = 0; i < kIn; ++i) {
      Vec v[kIn];
      Transform::input(half[i], v);
      for (int j = 0; j < kIn; ++j) v[j].store(target + (i * kIn + j) * plan_.position_stride);
    }
  }

  // All positions of some of the strip's tiles, for the outputs of one panel.
  void multiply_block(Range strip, Range block, int64_t panel, int thread) const {
    float* const products = threads_ + thread * plan_.thread_floats();
    float* const loaded = products + plan_.product_floats();
    for (int64_t chunk = 0; chunk < plan_.chunks; ++chunk) {
      const Range channels = part_of(g_.channels, plan_.chunks, chunk);
      kernels_.load(panel, channels, loaded, plan_.kernel_stride);
      for (int position = 0; position < kPositions; ++position) {
        if (chunk + 1 < plan_.chunks) {
          kernels_.prefetch(panel, part_of(g_.channels, plan_.chunks, chunk + 1), position);
        }
        float* const target = products + position * plan_.product_stride;
        if (is_zero(position)) {
          std::fill_n(target, block.size() * kTileColumns, 0.0f);
        } else {
          const auto* const b = kernels_.at(panel, position, loaded, plan_.kernel_stride);
          multiply_position(position, block, channels, layout_.vecs_in(panel), b, target);
        }
      }
    }
    finish_block({strip.begin + block.begin, strip.begin + block.end}, panel, products,
                 loaded + plan_.kernel_floats());
  }

  void multiply_position(int position, Range block, Range channels, int vecs,
                         const typename Kernels::Element* b, float* target) const {
    const float* const a = strip_ + position * plan_.position_stride + channels.begin;
    const int64_t row_panels = divide_up(block.size(), kTileRows);
    for (int64_t i = 0; i < row_panels; ++i) {
      const Range rows = part_of(block.size(), row_panels, i);
      micro_kernel<typename Kernels::Element>(static_cast<int>(rows.size()), vecs)(
          a + (block.begin + rows.begin) * plan_.row_stride, plan_.row_stride, b, channels.size(),
          target + rows.begin * kTileColumns, channels.begin > 0);
    }
  }

  // Runs of neighbouring tiles, so that the epilogue meets many outputs of a row at once.
  void finish_block(Range tiles, int64_t panel, const float* products, float* outputs) const {
    for (int64_t tile = tiles.begin; tile < tiles.end;) {
      const int64_t row_end = (tile / plan_.tiles_x + 1) * plan_.tiles_x;
      const int64_t count = std::min({kRunTiles, tiles.end - tile, row_end - tile});
      for (int64_t i = 0; i < count; ++i) {
        const float* const from = products + (tile - tiles.begin + i) * kTileColumns;
        for (int v = 0; v < layout_.vecs_in(panel); ++v) {
          transform_products(from + v * Vec::kLanes, outputs + i * kOut * kTileColumns + v * Vec::kLanes);
        }
      }
      finish_run(tile, count, panel, outputs);
      tile += count;
    }
  }

  // Aᵀ·m·A of one vector of outputs: rows first, then columns. Output row i of a run begins at
  // outputs + i·kRunTiles·kOut·kTileColumns.
  void transform_products(const float* products, float* outputs) const {
    Vec half[kIn][kOut];
    for (int i = 0; i < kIn; ++i) {
      Vec m[kIn];
      for (int j = 0; j < kIn; ++j) m[j] = Vec::load(products + (i * kIn + j) * plan_.product_stride);
      Transform::output(m, half[i]);
    }
    for (int j = 0; j < kOut; ++j) {
      Vec m[kIn], y[kOut];
      for (int i = 0; i < kIn; ++i) m[i] = half[i][j];
      Transform::output(m, y);
      for (int i = 0; i < kOut; ++i) y[i].store(outputs + (i * kRunTiles * kOut + j) * kTileColumns);
    }
  }

  void finish_run(int64_t tile, int64_t count, int64_t panel, const float* outputs) const {
    const Place place = place_of(tile);
    const auto width = static_cast<int>(std::min(count * kOut, g_.out_width - place.x));
    for (int i = 0; i < kOut && place.y + i < g_.out_height; ++i) {
      const int64_t first = (place.sample * g_.out_height + place.y + i) * g_.out_width + place.x;
      epilogue_.finish(outputs + i * kRunTiles * kOut * kTileColumns, first, width, layout_, panel);
    }
  }

  const ConvGeometry& g_;
  const WinogradPlan<kOut> plan_;
  const PackedWeight layout_;  // of one position's kernels
  const T* picture_;
  const Kernels& kernels_;
  const Epilogue<T>& epilogue_;
  CpuContext& context_;
  float* strip_;    // [kPositions, tiles of a strip, channels]
  float* threads_;  // each thread's products, kernels and outputs
  T* zeros_;
  const bool rows_in_pairs_, columns_in_pairs_;
};

}  // namespace ipai::IPAI_TARGET
