#include "runtime/arena.h"

#include "runtime/pages.h"
#include "runtime/system_memory.h"

namespace ipai {

Status Arena::reserve(size_t bytes) {
  if (bytes <= capacity_) return Status::success();
  trim();
  if (Status status = check_memory_for(bytes, "the intermediate values of a program"); !status.ok())
    return status;
  const size_t capacity = (bytes + kHugePage - 1) / kHugePage * kHugePage;
  data_ = allocate_pages(capacity);
  if (data_ == nullptr) return out_of_memory(bytes, "the intermediate values of a program");
  capacity_ = capacity;
  return Status::success();
}

void Arena::trim() {
  free_pages(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
}

}  // namespace ipai
