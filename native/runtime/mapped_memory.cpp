#include "runtime/mapped_memory.h"

#include <sys/mman.h>

namespace ipai {
namespace {

// With pages of this size the first touch takes 512 times fewer page faults.
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

std::byte* map_memory(size_t bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(data, bytes, MADV_HUGEPAGE);
#endif
  return static_cast<std::byte*>(data);
}

void unmap_memory(std::byte* data, size_t bytes) {
  munmap(data, bytes);
}

}  // namespace ipai
