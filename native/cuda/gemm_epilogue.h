// What happens to finished sums on their way to memory: activation(sum + biases) + residual, 8 outputs at a
// time, in whole vectors where rows are made of such.
#pragma once

#include "cuda/activation.h"
#include "cuda/lanes.h"
#include "runtime/attributes.h"
#include "runtime/tensor_view.h"

namespace ipai::cuda {

template <class T>
struct Epilogue {
  T* output = nullptr;  // [rows, outputs]
  int outputs = 0;
  const float* bias = nullptr;         // [columns]; may be null
  const float* sample_bias = nullptr;  // [samples, outputs]; may be null, and is with geglu
  int sample_bias_stride = 0;          // 0 where all samples share one row
  int rows_per_sample = 1;
  const T* residual = nullptr;  // [rows, outputs], may be `output` itself; may be null
  // In place of the two where T is narrower than what is written.
  float* wide_output = nullptr;
  const float* wide_residual = nullptr;
  Activation activation = Activation::kNone;

  // Sets output and residual, which may be absent: of T both, or both float32.
  void write_to(const TensorView& target, const TensorView& added) {
    if (std::is_same_v<T, float> || target.dtype != DType::kFloat32) {
      output = target.as<T>();
      residual = added.as<const T>();
    } else {
      wide_output = target.as<float>();
      wide_residual = added.as<const float>();
    }
  }

  // Columns of the product that make one output. With geglu they are neighbours: value, gate.
  __host__ __device__ int columns_per_output() const { return activation == Activation::kGeglu ? 2 : 1; }
};

inline constexpr int kOutputLanes = 8;

// Adds 8 floats of a row [outputs], those from `first` on that there are.
__device__ inline void add_floats(const float* row, int first, int outputs, float (&lanes)[kOutputLanes]) {
  if (row == nullptr) return;
  if (outputs % kOutputLanes == 0) {
#pragma unroll
    for (int i = 0; i < kOutputLanes; i += 4) {
      float quad[4];
      Vector<float>::load(row + first + i).to_floats(quad);
#pragma unroll
      for (int j = 0; j < 4; ++j) lanes[i + j] += quad[j];
    }
  } else {
#pragma unroll
    for (int i = 0; i < kOutputLanes; ++i) {
      if (first + i < outputs) lanes[i] += row[first + i];
    }
  }
}

template <float (*kFunction)(float)>
__device__ void map_lanes(float (&lanes)[kOutputLanes]) {
#pragma unroll
  for (int i = 0; i < kOutputLanes; ++i) lanes[i] = kFunction(lanes[i]);
}

__device__ inline void activate(Activation activation, float (&lanes)[kOutputLanes]) {
  switch (activation) {
    case Activation::kSilu:
      return map_lanes<silu>(lanes);
    case Activation::kGelu:
      return map_lanes<gelu>(lanes);
    case Activation::kQuickGelu:
      return map_lanes<quick_gelu>(lanes);
    default:
      return;
  }
}

// Lanes of a row [outputs] from `first` on, those that there are; `residual` may be null.
template <class Output>
__device__ void store_outputs(Output* output, const Output* residual, int first, int outputs,
                              float (&lanes)[kOutputLanes]) {
  if (outputs % kOutputLanes == 0) {
    if (residual != nullptr) {
      float added[kOutputLanes];
      load_lanes(residual + first, added);
#pragma unroll
      for (int i = 0; i < kOutputLanes; ++i) lanes[i] += added[i];
    }
    store_lanes(output + first, lanes);
  } else {
#pragma unroll
    for (int i = 0; i < kOutputLanes; ++i) {
      if (first + i >= outputs) continue;
      if (residual != nullptr) lanes[i] += to_float(residual[first + i]);
      output[first + i] = from_float<Output>(lanes[i]);
    }
  }
}

template <class T>
__device__ void store_outputs(const Epilogue<T>& epilogue, int row, int first, float (&lanes)[kOutputLanes]) {
  const int64_t offset = static_cast<int64_t>(row) * epilogue.outputs;
  const auto row_of = [&](auto* rows) { return rows == nullptr ? nullptr : rows + offset; };
  if constexpr (!std::is_same_v<T, float>) {
    if (epilogue.wide_output != nullptr) {
      return store_outputs(epilogue.wide_output + offset, row_of(epilogue.wide_residual), first,
                           epilogue.outputs, lanes);
    }
  }
  store_outputs(epilogue.output + offset, row_of(epilogue.residual), first, epilogue.outputs, lanes);
}

// Finishes outputs [first, first + 8) of a row, those that there are. quad(i) gives the sums of columns
// [4i, 4i + 4), counted from the first column of output `first`.
template <int kColumnsPerOutput, class T, class Quad>
__device__ void finish_outputs(const Epilogue<T>& epilogue, int row, int first, Quad quad) {
  if (first >= epilogue.outputs) return;
  float lanes[kOutputLanes];
  if constexpr (kColumnsPerOutput == 2) {
    float gates[kOutputLanes];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float4 pairs = quad(i);
      lanes[2 * i] = pairs.x;
      gates[2 * i] = pairs.y;
      lanes[2 * i + 1] = pairs.z;
      gates[2 * i + 1] = pairs.w;
    }
    if (epilogue.bias != nullptr) {
      add_floats(epilogue.bias, first, epilogue.outputs, lanes);
      add_floats(epilogue.bias + epilogue.outputs, first, epilogue.outputs, gates);
    }
#pragma unroll
    for (int i = 0; i < kOutputLanes; ++i) lanes[i] *= gelu(gates[i]);
  } else {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float4 sums = quad(i);
      lanes[4 * i] = sums.x;
      lanes[4 * i + 1] = sums.y;
      lanes[4 * i + 2] = sums.z;
      lanes[4 * i + 3] = sums.w;
    }
    add_floats(epilogue.bias, first, epilogue.outputs, lanes);
    if (epilogue.sample_bias != nullptr) {
      const int64_t sample = row / epilogue.rows_per_sample;
      add_floats(epilogue.sample_bias + sample * epilogue.sample_bias_stride, first, epilogue.outputs, lanes);
    }
    activate(epilogue.activation, lanes);
  }
  store_outputs(epilogue, row, first, lanes);
}

}  // namespace ipai::cuda
