// What happens to a finished tile of a GEMM on its way to memory: activation(tile + shifts) + residual.
#pragma once

#include <algorithm>

#include "cpu/math.h"
#include "cpu/packed_weight.h"
#include "runtime/attributes.h"

namespace ipai::IPAI_TARGET {

template <class T>
struct Epilogue {
  T* output = nullptr;  // [rows, outputs]
  int64_t outputs = 0;
  const float* bias = nullptr;         // [weight rows]; may be null
  const float* sample_bias = nullptr;  // [samples, outputs]; may be null
  int64_t sample_bias_stride = 0;      // 0 where all samples share one row
  int64_t rows_per_sample = 1;
  const T* residual = nullptr;  // [rows, outputs], may be `output` itself; may be null
  Activation activation = Activation::kNone;

  // `tile` holds `rows` rows from `first_row` on and the columns of `panel`.
  void finish(const float* tile, int64_t first_row, int rows, const PackedWeight& weight,
              int64_t panel) const;

 private:
  struct Tile {
    const float* sums;
    int64_t first_row;
    int rows;
    int64_t first_output;
    int count;  // outputs
    int half;   // column of the first gate, for geglu
  };
  template <class Activate>
  void finish_rows(const Tile& tile, Activate activate) const;
  void load_shifts(const Tile& tile, int64_t sample, float* shifts) const;
};

// Bias and the sample's own bias, in the columns of the tile.
template <class T>
void Epilogue<T>::load_shifts(const Tile& tile, int64_t sample, float* shifts) const {
  std::fill(shifts, shifts + kTileColumns, 0.0f);
  if (bias != nullptr) {
    std::copy_n(bias + tile.first_output, tile.count, shifts);
    if (activation == Activation::kGeglu) {
      std::copy_n(bias + outputs + tile.first_output, tile.count, shifts + tile.half);
    }
  }
  if (sample_bias != nullptr) {
    const float* row = sample_bias + sample * sample_bias_stride + tile.first_output;
    for (int i = 0; i < tile.count; ++i) shifts[i] += row[i];
  }
}

// activate(sums, shifts) turns one vector of columns (with geglu: of column pairs) into outputs.
template <class T>
template <class Activate>
void Epilogue<T>::finish_rows(const Tile& tile, Activate activate) const {
  alignas(64) float shifts[kTileColumns];
  int64_t sample = -1;
  for (int r = 0; r < tile.rows; ++r) {
    const int64_t row = tile.first_row + r;
    if (row / rows_per_sample != sample) {
      sample = row / rows_per_sample;
      load_shifts(tile, sample, shifts);
    }
    const float* sums = tile.sums + r * kTileColumns;
    const int64_t offset = row * outputs + tile.first_output;
    for (int i = 0; i < tile.count; i += Vec::kLanes) {
      const int lanes = std::min(tile.count - i, Vec::kLanes);
      Vec result = activate(sums + i, shifts + i);
      if (lanes == Vec::kLanes) {
        if (residual != nullptr) result = result + Vec::load(residual + offset + i);
        result.store(output + offset + i);
      } else {
        if (residual != nullptr) result = result + load_partial(residual + offset + i, lanes);
        store_partial(output + offset + i, result, lanes);
      }
    }
  }
}

template <class T>
void Epilogue<T>::finish(const float* tile, int64_t first_row, int rows, const PackedWeight& weight,
                         int64_t panel) const {
  const Tile place{tile,
                   first_row,
                   rows,
                   weight.first_output(panel),
                   static_cast<int>(weight.outputs_in(panel)),
                   weight.vecs_in(panel) / 2 * Vec::kLanes};
  const auto shifted = [](const float* sums, const float* shifts) {
    return Vec::load(sums) + Vec::load(shifts);
  };
  switch (activation) {
    case Activation::kNone:
      return finish_rows(place, shifted);
    case Activation::kSilu:
      return finish_rows(place, [&](const float* x, const float* s) { return silu(shifted(x, s)); });
    case Activation::kGelu:
      return finish_rows(place, [&](const float* x, const float* s) { return gelu(shifted(x, s)); });
    case Activation::kQuickGelu:
      return finish_rows(place, [&](const float* x, const float* s) { return quick_gelu(shifted(x, s)); });
    case Activation::kGeglu:
      return finish_rows(place, [&](const float* x, const float* s) {
        return shifted(x, s) * gelu(shifted(x + place.half, s + place.half));
      });
  }
}

}  // namespace ipai::IPAI_TARGET
