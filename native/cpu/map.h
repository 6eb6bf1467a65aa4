// Elementwise functions of one or two arrays.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// Elements that one task of an elementwise op takes: a few microseconds of work.
inline constexpr int64_t kElementwiseGrain = 16384;

// y[i] = function(x[i]); y may be x.
template <class T, class Function>
void map(const T* x, T* y, int64_t count, Function function) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) function(Vec::load(x + i)).store(y + i);
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_partial(y + i, function(load_partial(x + i, rest)), rest);
}

// y[i] = function(a[i], b[i]); y may be a or b.
template <class T, class Function>
void map(const T* a, const T* b, T* y, int64_t count, Function function) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes)
    function(Vec::load(a + i), Vec::load(b + i)).store(y + i);
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_partial(y + i, function(load_partial(a + i, rest), load_partial(b + i, rest)), rest);
}

}  // namespace ipai::IPAI_TARGET
