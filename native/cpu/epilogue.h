// What happens to a finished tile of a GEMM on its way to memory: activation(tile + shifts) + residual.
#pragma once

#include <algorithm>

#include "cpu/math.h"
#include "cpu/packed_weight.h"
#include "cpu/prefetch_rows.h"
#include "runtime/attributes.h"
#include "runtime/tensor_view.h"

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
  // In place of the two where T is narrower than what is written.
  float* wide_output = nullptr;
  const float* wide_residual = nullptr;
  Activation activation = Activation::kNone;

  // Sets output and residual, which may be absent: of T both, or both float32.
  void write_to(const TensorView& target, const TensorView& added);

  // Asks for the lines that `finish` will write and read, so that they come while the tile is being computed.
  void prefetch(int64_t first_row, int rows, const PackedWeight& weight, int64_t panel) const;

  // `tile` holds `rows` rows from `first_row` on and the columns of `panel`.
  void finish(const float* tile, int64_t first_row, int rows, const PackedWeight& weight,
              int64_t panel) const;

 private:
  // Rows of one sample.
  struct Part {
    const float* sums;
    int64_t first_row;
    int64_t rows;
    int64_t first_output;
    int count;  // outputs
    int half;   // column of the first gate, for geglu
  };
  void load_shifts(const Part& part, float* shifts) const;
  void finish_part(const Part& part) const;
  template <class Activate>
  void finish_rows(const Part& part, Activate activate) const;
  template <class Output, class Activate>
  void finish_rows(const Part& part, Output* target, const Output* added, Activate activate) const;
};

template <class T>
void Epilogue<T>::write_to(const TensorView& target, const TensorView& added) {
  if (std::is_same_v<T, float> || target.dtype != DType::kFloat32) {
    output = target.as<T>();
    residual = added.as<T>();
  } else {
    wide_output = target.as<float>();
    wide_residual = added.as<float>();
  }
}

template <class T>
void Epilogue<T>::prefetch(int64_t first_row, int rows, const PackedWeight& weight, int64_t panel) const {
  const int64_t first = first_row * outputs + weight.first_output(panel);
  const auto ask = [&](const auto* target, const auto* added) {
    prefetch_rows<true>(target + first, outputs, rows, weight.outputs_in(panel));
    if (added != nullptr) prefetch_rows<false>(added + first, outputs, rows, weight.outputs_in(panel));
  };
  if (wide_output != nullptr) return ask(wide_output, wide_residual);
  ask(output, residual);
}

template <class T>
void Epilogue<T>::finish(const float* tile, int64_t first_row, int rows, const PackedWeight& weight,
                         int64_t panel) const {
  Part part{};
  part.first_output = weight.first_output(panel);
  part.count = static_cast<int>(weight.outputs_in(panel));
  part.half = weight.vecs_in(panel) / 2 * Vec::kLanes;
  for (int64_t row = first_row; row < first_row + rows; row += part.rows) {
    part.sums = tile + (row - first_row) * kTileColumns;
    part.first_row = row;
    part.rows = std::min(first_row + rows - row, rows_per_sample - row % rows_per_sample);
    finish_part(part);
  }
}

template <class T>
void Epilogue<T>::finish_part(const Part& part) const {
  const auto shifted = [](const float* sums, const float* shifts) {
    return Vec::load(sums) + Vec::load(shifts);
  };
  switch (activation) {
    case Activation::kNone:
      return finish_rows(part, shifted);
    case Activation::kSilu:
      return finish_rows(part, [&](const float* x, const float* s) { return silu(shifted(x, s)); });
    case Activation::kGelu:
      return finish_rows(part, [&](const float* x, const float* s) { return gelu(shifted(x, s)); });
    case Activation::kQuickGelu:
      return finish_rows(part, [&](const float* x, const float* s) { return quick_gelu(shifted(x, s)); });
    case Activation::kGeglu:
      return finish_rows(part, [&](const float* x, const float* s) {
        return shifted(x, s) * gelu(shifted(x + part.half, s + part.half));
      });
  }
}

template <class T>
template <class Activate>
void Epilogue<T>::finish_rows(const Part& part, Activate activate) const {
  if (wide_output != nullptr) return finish_rows(part, wide_output, wide_residual, activate);
  finish_rows(part, output, residual, activate);
}

// activate(sums, shifts) turns one vector of columns (with geglu: of column pairs) into outputs.
template <class T>
template <class Output, class Activate>
void Epilogue<T>::finish_rows(const Part& part, Output* target, const Output* added,
                              Activate activate) const {
  alignas(64) float shifts[kTileColumns];
  load_shifts(part, shifts);
  for (int64_t r = 0; r < part.rows; ++r) {
    const float* sums = part.sums + r * kTileColumns;
    const int64_t offset = (part.first_row + r) * outputs + part.first_output;
    for (int i = 0; i < part.count; i += Vec::kLanes) {
      const int lanes = std::min(part.count - i, Vec::kLanes);
      Vec result = activate(sums + i, shifts + i);
      if (lanes == Vec::kLanes) {
        if (added != nullptr) result = result + Vec::load(added + offset + i);
        store_result(target + offset + i, result);
      } else {
        if (added != nullptr) result = result + load_partial(added + offset + i, lanes);
        store_partial(target + offset + i, result, lanes);
      }
    }
  }
}

// Bias and the sample's own bias, in the columns of the tile.
template <class T>
void Epilogue<T>::load_shifts(const Part& part, float* shifts) const {
  std::fill_n(shifts, kTileColumns, 0.0f);
  if (bias != nullptr) {
    std::copy_n(bias + part.first_output, part.count, shifts);
    if (activation == Activation::kGeglu) {
      std::copy_n(bias + outputs + part.first_output, part.count, shifts + part.half);
    }
  }
  if (sample_bias != nullptr) {
    const int64_t sample = part.first_row / rows_per_sample;
    const float* row = sample_bias + sample * sample_bias_stride + part.first_output;
    for (int i = 0; i < part.count; ++i) shifts[i] += row[i];
  }
}

}  // namespace ipai::IPAI_TARGET
