#include "runtime/pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace ipai {
namespace {

constexpr size_t kSmallPage = 65536;  // the largest that systems use

constexpr size_t round_up(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

std::byte* allocate_pages(size_t bytes) {
  // Whatever address the system chooses, a multiple of kHugePage lies within the first kHugePage bytes.
  const size_t kept = round_up(bytes, kSmallPage);
  const size_t asked = kept + kHugePage;
  void* const mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const auto address = reinterpret_cast<uintptr_t>(begin);
  const size_t before = round_up(address, kHugePage) - address;
  if (before > 0) munmap(begin, before);
  if (before < kHugePage) munmap(begin + before + kept, kHugePage - before);
#if defined(MADV_HUGEPAGE)
  madvise(begin + before, kept, MADV_HUGEPAGE);
#endif
  return begin + before;
}

void free_pages(std::byte* data, size_t bytes) {
  if (data != nullptr) munmap(data, round_up(bytes, kSmallPage));
}

}  // namespace ipai
