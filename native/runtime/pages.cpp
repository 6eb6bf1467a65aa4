#include "runtime/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <vector>

namespace ipai {
namespace {

constexpr size_t kSmallPage = 65536;  // the largest that systems use

constexpr size_t round_up(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

struct Block {
  std::byte* data;
  size_t bytes;
};

// Freed blocks, at most kKeptPageBytes of them.
class KeptBlocks {
 public:
  // A block of just this size, or null.
  std::byte* take(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto fits = [&](const Block& block) { return block.bytes == bytes; };
    const auto found = std::find_if(blocks_.begin(), blocks_.end(), fits);
    if (found == blocks_.end()) return nullptr;
    std::byte* const data = found->data;
    blocks_.erase(found);
    return data;
  }

  // False where there is no room for it.
  bool keep(const Block& block) {
    std::lock_guard<std::mutex> lock(mutex_);
    size_t total = block.bytes;
    for (const Block& other : blocks_) total += other.bytes;
    if (total > kKeptPageBytes) return false;
    blocks_.push_back(block);
    return true;
  }

  void trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Block& block : blocks_) munmap(block.data, block.bytes);
    blocks_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Block> blocks_;
};

// Never destroyed: buffers may be freed while the process ends.
KeptBlocks& kept_blocks() {
  static KeptBlocks& blocks = *new KeptBlocks();
  return blocks;
}

// `bytes` is a multiple of kSmallPage.
std::byte* map_pages(size_t bytes) {
  // Whatever address the system chooses, a multiple of kHugePage lies within the first kHugePage bytes.
  const size_t asked = bytes + kHugePage;
  void* const mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const auto address = reinterpret_cast<uintptr_t>(begin);
  const size_t before = round_up(address, kHugePage) - address;
  if (before > 0) munmap(begin, before);
  if (before < kHugePage) munmap(begin + before + bytes, kHugePage - before);
#if defined(MADV_HUGEPAGE)
  madvise(begin + before, bytes, MADV_HUGEPAGE);
#endif
  return begin + before;
}

}  // namespace

std::byte* allocate_pages(size_t bytes) {
  const size_t size = round_up(bytes, kSmallPage);
  std::byte* const kept = kept_blocks().take(size);
  return kept != nullptr ? kept : map_pages(size);
}

void free_pages(std::byte* data, size_t bytes) {
  const Block block{data, round_up(bytes, kSmallPage)};
  if (data != nullptr && !kept_blocks().keep(block)) munmap(block.data, block.bytes);
}

void trim_pages() {
  kept_blocks().trim();
}

}  // namespace ipai
