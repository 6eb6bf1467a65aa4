// Shapes made from shapes.
#pragma once

#include <vector>

#include "runtime/tensor_view.h"

namespace ipai {

// `shape` with the extent of one axis replaced; negative axes count from the end.
inline Shape with_extent(const Shape& shape, int axis, int64_t extent) {
  std::vector<int64_t> extents;
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  extents[static_cast<size_t>(axis < 0 ? axis + shape.rank() : axis)] = extent;
  return Shape(extents);
}

}  // namespace ipai
