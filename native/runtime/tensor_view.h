// Shapes, tensor types (shape + dtype, no data) and views (type + address) as kernels see them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/dtype.h"

namespace ipai {

inline constexpr int kMaxRank = 6;

// Dense, row-major extents. Negative axes count from the end, as in NumPy.
class Shape {
 public:
  Shape() = default;
  explicit Shape(const std::vector<int64_t>& dims) : Shape(dims.begin(), dims.end()) {}
  // From a range of integers. More than kMaxRank of them give a shape with a negative extent, which no tensor
  // has.
  template <class Iterator>
  Shape(Iterator first, Iterator last) {
    for (; first != last && rank_ < kMaxRank; ++first) dims_[static_cast<size_t>(rank_++)] = *first;
    if (first != last) dims_.back() = -1;
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const { return dims_[static_cast<size_t>(axis < 0 ? axis + rank_ : axis)]; }
  // Product of the extents in [first, last); of all when called without arguments.
  int64_t size(int first = 0, int last = kMaxRank) const {
    int64_t product = 1;
    for (int i = first; i < rank_ && i < last; ++i) product *= dims_[static_cast<size_t>(i)];
    return product;
  }
  bool operator==(const Shape& other) const { return rank_ == other.rank_ && dims_ == other.dims_; }
  bool operator!=(const Shape& other) const { return !(*this == other); }
  std::string to_string() const {
    std::string text = "[";
    for (int i = 0; i < rank_; ++i) {
      text += (i > 0 ? ", " : "") + std::to_string(dims_[static_cast<size_t>(i)]);
    }
    return text + "]";
  }

 private:
  int rank_ = 0;
  std::array<int64_t, kMaxRank> dims_{};
};

struct TensorType {
  DType dtype = DType::kFloat32;
  Shape shape;
  // An optional input that was left out.
  bool absent = false;

  // Bytes of the dense row-major form; packed layouts state their own size (Op::output_bytes).
  size_t dense_bytes() const { return static_cast<size_t>(shape.size()) * dtype_size(dtype); }
};

struct TensorView : TensorType {
  void* data = nullptr;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

}  // namespace ipai
