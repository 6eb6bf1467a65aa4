// The memory for all intermediates of a run. One program runs at a time, so that all programs share it.
#pragma once

#include <cstddef>

#include "runtime/status.h"

namespace ipai {

class Arena {
 public:
  Arena() = default;
  ~Arena() { trim(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Makes sure of at least `bytes`; what the arena held before is lost when it grows.
  Status reserve(size_t bytes);
  // Gives all memory back to the system.
  void trim();

  std::byte* data() const { return data_; }
  size_t capacity() const { return capacity_; }

 private:
  std::byte* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace ipai
