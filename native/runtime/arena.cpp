#include "runtime/arena.h"

#include "runtime/mapped_memory.h"
#include "runtime/system_memory.h"

namespace ipai {

Status Arena::reserve(size_t bytes) {
  if (bytes <= capacity_) return Status::success();
  trim();
  if (Status status = check_memory_for(bytes, "the intermediate values of a program"); !status.ok())
    return status;
  std::byte* const data = map_memory(bytes);
  if (data == nullptr) return out_of_memory(bytes, "the intermediate values of a program");
  data_ = data;
  capacity_ = bytes;
  return Status::success();
}

void Arena::trim() {
  if (data_ != nullptr) unmap_memory(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
}

}  // namespace ipai
