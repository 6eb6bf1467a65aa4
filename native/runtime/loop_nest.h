// Loops over the elements of several arrays with different strides, with as few loops as their layouts allow.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/tensor_view.h"

namespace ipai {

template <int kArrays>
class LoopNest {
 public:
  using Offsets = std::array<int64_t, kArrays>;

  // Adds an axis inside of those there are; one that every array steps through as a continuation of the axis
  // before is merged into it. Strides count elements; 0 repeats.
  void add_axis(int64_t extent, const Offsets& strides) {
    if (extent == 1) return;
    if (rank_ > 0 && continues(extent, strides)) {
      axes_[last()] = {axes_[last()].extent * extent, strides};
    } else {
      axes_[static_cast<size_t>(rank_++)] = {extent, strides};
    }
  }

  int rank() const { return rank_; }
  int64_t extent(int axis) const { return axes_[static_cast<size_t>(axis)].extent; }
  int64_t stride(int axis, int array) const {
    return axes_[static_cast<size_t>(axis)].strides[static_cast<size_t>(array)];
  }
  // The innermost axis: the "row". A nest without axes is one row of one element.
  int64_t row_length() const { return rank_ > 0 ? axes_[last()].extent : 1; }
  int64_t row_stride(int array) const {
    return rank_ > 0 ? axes_[last()].strides[static_cast<size_t>(array)] : 1;
  }
  int64_t row_count() const { return size(rank_ - 1); }

  // Iterations of the `axes` outermost loops.
  int64_t size(int axes) const {
    int64_t product = 1;
    for (int axis = 0; axis < axes; ++axis) product *= extent(axis);
    return product;
  }
  // Where iteration `index` of the `axes` outermost loops begins in each array.
  Offsets offsets(int64_t index, int axes) const {
    Offsets result{};
    for (int axis = axes - 1; axis >= 0; --axis) {
      const int64_t position = index % extent(axis);
      index /= extent(axis);
      for (int array = 0; array < kArrays; ++array) {
        result[static_cast<size_t>(array)] += position * stride(axis, array);
      }
    }
    return result;
  }
  Offsets row_offsets(int64_t row) const { return offsets(row, rank_ - 1); }

 private:
  struct Axis {
    int64_t extent;
    Offsets strides;
  };

  size_t last() const { return static_cast<size_t>(rank_ - 1); }
  bool continues(int64_t extent, const Offsets& strides) const {
    for (int array = 0; array < kArrays; ++array) {
      const auto k = static_cast<size_t>(array);
      if (axes_[last()].strides[k] != strides[k] * extent) return false;
    }
    return true;
  }

  int rank_ = 0;
  std::array<Axis, kMaxRank> axes_{};
};

// Strides, in elements, of a dense tensor that is read as if its axes of extent 1 were repeated.
inline std::array<int64_t, kMaxRank> broadcast_strides(const Shape& shape) {
  std::array<int64_t, kMaxRank> strides{};
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = shape[axis] == 1 ? 0 : stride;
    stride *= shape[axis];
  }
  return strides;
}

}  // namespace ipai
